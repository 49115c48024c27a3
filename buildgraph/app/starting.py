"""A new catalogue: one layer and one image that build, ready to be extended."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import disk_faults
from buildgraph.adapters.workspace import PROJECT_FILE, Workspace
from buildgraph.errors import UsageError
from buildgraph.manifest.fields import is_name

if TYPE_CHECKING:
    from pathlib import Path

NAME = "@NAME@"
MODULE = "@MODULE@"
# What stands in the package → where it goes. The name of the project takes the place of the marks, in both.
FILES = {
    "project.yaml": "manifests/project.yaml",
    "os.yaml": "manifests/layers/os.yaml",
    "image.yaml": f"manifests/images/{NAME}.yaml",
    "os_tests.py": "layers/os/test_os.py",
    "image_tests.py": f"layers/{NAME}/test_{MODULE}.py",
    "README.md": "README.md",
    "gitignore": ".gitignore",
}
TAKEN = frozenset({"os", "default", "all"})


def start_project(folder: Path, name: str) -> tuple[str, ...]:
    """Write a new catalogue into ``folder``, which may exist, and say which files it got.

    ``name`` is the project's and the image's. Nothing is overwritten.

    Raises:
        UsageError: a bad name, or a file that is there already; then nothing is written.
    """
    if not is_name(name) or name in TAKEN:
        what = f"{name!r} cannot name a project and its image"
        raise UsageError(what, hint="give --name with lower-case letters, digits, '-' and '.'")
    texts = {_fill(path, name): _fill(_read(source), name) for source, path in FILES.items()}
    if (folder / PROJECT_FILE).exists():
        raise UsageError("there is a project already", where=str(folder), hint="name another folder")
    taken = [path for path in texts if (folder / path).exists()]
    if taken:
        raise UsageError(f"{', '.join(taken)} exists already", where=str(folder), hint="name another folder")
    workspace = Workspace(folder.absolute())
    for path, text in texts.items():
        with disk_faults(folder, f"write {path}"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        workspace.write_text(path, text)
    return tuple(texts)


def _read(source: str) -> str:
    return (files("buildgraph") / "starter" / source).read_text(encoding="utf-8")


def _fill(text: str, name: str) -> str:
    module = "".join(letter if letter.isalnum() else "_" for letter in name)
    return text.replace(NAME, name).replace(MODULE, module)
