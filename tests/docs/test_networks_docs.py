"""What docs/networks.md shows is what the readers take and the builder offers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.buildkit import TRUST
from buildgraph.app.settings import load_settings

if TYPE_CHECKING:
    import pytest

TEXT = (Path(__file__).parents[2] / "docs/networks.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_the_settings_of_the_page_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (text,) = (block for kind, block in BLOCKS if kind == "yaml" and block.startswith("# settings.yaml\n"))
    (tmp_path / "ca.pem").write_text("certificates")
    (tmp_path / "spare.password").write_text("x")
    path = tmp_path / "settings.yaml"
    path.write_text(text.replace("/etc/company/ca.pem", "ca.pem"))
    loaded = load_settings({"BUILDGRAPH_SETTINGS": str(path), "MIRROR_PASSWORD": "x", "SPARE_USER": "u"})
    assert len(loaded.settings.credentials) == 2
    assert set(loaded.settings.debian) == {"bookworm", "bookworm-updates", "bookworm-security"}


def test_the_secrets_of_the_page_are_those_that_steps_are_offered() -> None:
    named = set(re.findall(r"id=(ca[\w-]*)", TEXT))
    assert named == {"ca", "ca-java", "ca-env"}
    assert set(re.findall(r"/run/secrets/([\w-]+)", TRUST)) == named - {"ca-env"}
