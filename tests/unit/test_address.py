"""Which engine will be used is foreseen where its files tell, and not guessed where only asking could."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.address import data_path, default_state, foresee_id, list_candidates, socket_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual place of an engine's socket, where none is."""
    path = tmp_path / "usual.sock"
    monkeypatch.setattr("buildgraph.adapters.address.DEFAULT_SOCKET", path)
    return path


@pytest.fixture
def state(tmp_path: Path, usual: Path) -> Path:
    """An engine of one's own that has run."""
    assert not usual.exists()
    folder = tmp_path / "engine"
    data_path(folder).mkdir(parents=True)
    (data_path(folder) / "engine-id").write_text("3de8f31a\n")
    return folder


def test_docker_host_is_the_only_candidate_where_it_is_set(tmp_path: Path) -> None:
    assert list_candidates({"DOCKER_HOST": "tcp://far:1"}, tmp_path) == ("tcp://far:1",)


def test_the_default_socket_comes_before_ones_own(tmp_path: Path) -> None:
    own = f"unix://{tmp_path}/run/docker.sock"
    assert list_candidates({}, tmp_path) == ("unix:///var/run/docker.sock", own)


def test_the_state_is_below_the_user_s_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_state() == tmp_path / "buildgraph/engine"


def test_ones_own_engine_is_known_whether_it_runs_or_not(state: Path) -> None:
    assert foresee_id({}, state) == "3de8f31a"
    assert foresee_id({"DOCKER_HOST": f"unix://{socket_path(state)}"}, state) == "3de8f31a"


def test_ones_own_engine_is_known_where_the_usual_place_leads_to_it(state: Path, usual: Path) -> None:
    usual.symlink_to(socket_path(state))
    assert foresee_id({}, state) == "3de8f31a"


def test_an_engine_that_was_made_anew_is_another_one(state: Path) -> None:
    (data_path(state) / "engine-id").write_text("aaaa\n")
    assert foresee_id({}, state) == "aaaa"


@pytest.mark.parametrize("host", ["tcp://far:1", "ssh://far", "unix:///nowhere/docker.sock", "npipe:////./pipe/docker"])
def test_a_chosen_engine_is_not_known(state: Path, host: str) -> None:
    assert foresee_id({"DOCKER_HOST": host}, state) == ""


def test_an_engine_at_the_usual_place_is_not_known(state: Path, usual: Path) -> None:
    usual.touch()
    assert foresee_id({}, state) == ""


@pytest.mark.parametrize("data", [None, b"\xff\xfe"])
def test_an_engine_that_never_ran_or_whose_id_cannot_be_read_is_not_known(state: Path, data: bytes | None) -> None:
    file = data_path(state) / "engine-id"
    file.unlink()
    if data is not None:
        file.write_bytes(data)
    assert foresee_id({}, state) == ""
