"""The tools of a run are those that the keys of its layers stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from buildgraph import key
from buildgraph.adapters.process import Never
from buildgraph.app.equipment import Equipment
from buildgraph.errors import EnvironmentFault
from buildgraph.model import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.sample import Sample

WANTED = {"zstandard": key.ZSTANDARD, "installer": key.INSTALLER}


def equip(sample: Sample, versions: Mapping[str, str]) -> Equipment:
    return Equipment(sample.session(), emit=lambda _event: None, cancel=Never(), find_version=versions.__getitem__)


@pytest.mark.parametrize("package", WANTED)
def test_no_layer_is_made_with_another_version_than_that_of_its_key(sample: Sample, package: str) -> None:
    what = f"{package} 0.0.1 is installed, layers are made with {WANTED[package]}; run: make setup"
    equipment = equip(sample, {**WANTED, package: "0.0.1"})
    with pytest.raises(EnvironmentFault) as caught:
        _ = equipment.builders
    assert str(caught.value) == what


def test_with_the_versions_of_the_keys_every_kind_of_layer_is_made(sample: Sample) -> None:
    assert set(equip(sample, WANTED).builders) == set(Kind)
