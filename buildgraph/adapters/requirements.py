"""Python requirement sets: uv chooses the versions, the index gives one wheel for each."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import uv
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from buildgraph.adapters.process import output
from buildgraph.adapters.settings import PUBLIC
from buildgraph.adapters.web import redact
from buildgraph.errors import BuildFailure, EnvironmentFault, ManifestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.adapters.pypi import PackageIndex, Target
    from buildgraph.adapters.settings import Settings
    from buildgraph.model import Artifact
    from buildgraph.ports import Cancel

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_AT_ONCE = 4
_MAX_SAID = 600


class RequirementSets:
    """Resolves requirement strings to one wheel for each distribution of the closure."""

    def __init__(self, index: PackageIndex, *, scratch: Path, cancel: Cancel, settings: Settings = PUBLIC) -> None:
        """``scratch`` is a directory for short-lived files; it is made when needed."""
        self._settings = settings
        self._index = index
        self._scratch = scratch
        self._cancel = cancel

    def resolve(self, requirements: Sequence[str], target: Target, *, held: Mapping[str, str]) -> tuple[Artifact, ...]:
        """One wheel each, sorted by coordinate. What ``held`` names keeps its version and is left out."""
        check_requirements(requirements)
        pins = parse_pins(self._compile(requirements, target, held))
        kept = {canonicalize_name(name) for name in held}
        wanted = [(name, version) for name, version in pins if name not in kept]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(
                lambda pin: self._index.wheel(pin[0], pin[1], target, hashes=pins[pin]),
                wanted,
            )
            return tuple(sorted(found, key=lambda artifact: artifact.coordinate))

    def _compile(self, requirements: Sequence[str], target: Target, held: Mapping[str, str]) -> str:
        """What ``uv pip compile`` prints: pins with the hashes of all their files."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            asked, constraints = Path(folder, "requirements.in"), Path(folder, "held.txt")
            asked.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
            constraints.write_text("".join(f"{name}=={version}\n" for name, version in held.items()), encoding="utf-8")
            argv = [uv.find_uv_bin(), "pip", "compile", str(asked), "--constraints", str(constraints)]
            # This interpreter only runs uv's questions; without it uv would download one of the target's version.
            argv += ["--python", sys.executable, "--no-python-downloads"]
            argv += ["--generate-hashes", "--python-version", target.python, "--python-platform", target.platform]
            argv += ["--only-binary", ":all:", "--no-header", "--no-annotate", "--no-config", "--quiet"]
            return self._run(argv, Path(folder))

    def _run(self, argv: Sequence[str], folder: Path) -> str:
        environ = self._settings.trust(os.environ)
        if self._settings.index:  # uv does not read pip's settings; an argument would show credentials
            environ["UV_DEFAULT_INDEX"] = self._settings.with_credentials(self._settings.index[0])
        try:
            return output(argv, scratch=folder, cancel=self._cancel, env=environ)
        except BuildFailure as error:
            text = find_conclusion((folder / "stderr").read_text(encoding="utf-8", errors="replace"))
            raise EnvironmentFault(f"the requirements cannot be resolved: {redact(text) or error.what}") from error


def check_requirements(requirements: Sequence[str]) -> None:
    """``ManifestError`` for a line that is no requirement (an option, a path), before any tool reads it."""
    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            raise ManifestError(f"{line!r} is no Python requirement: {reason}") from error
        if requirement.url:
            raise ManifestError(f"{line!r} names an address", hint="name a version of the index instead")


def parse_pins(text: str) -> dict[tuple[str, str], frozenset[str]]:
    """(canonical name, version) → sha256 of every file that uv saw, from a compiled requirements text."""
    pins: dict[tuple[str, str], frozenset[str]] = {}
    for block in text.replace("\\\n", " ").splitlines():
        if match := _PIN.match(block):
            pins[canonicalize_name(match["name"]), match["version"]] = frozenset(_HASH.findall(block))
    return pins


def find_conclusion(text: str) -> str:
    """What uv's complaint comes to, on one line: it may argue for pages, and its end names what is at odds."""
    words = " ".join(text.split())
    return words if len(words) <= _MAX_SAID else f"… {words[-_MAX_SAID:].partition(' ')[2]}"
