"""Lays out what is compiled: Go, the program's module, and all other modules as its vendored copies."""

import re
import shutil
import sys
import zipfile
from pathlib import Path

REQUIREMENT = re.compile(r"^(?:require )?\s*(\S+) (v\S+)(?: // indirect)?$", re.MULTILINE)
LANGUAGE = re.compile(r"^go (\S+)$", re.MULTILINE)
NOTICES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS")


def main(sources: str, program: str, target: str) -> None:
    """``sources``: the archives, each in a folder; ``program``: the folder of the module that is compiled."""
    build = Path(target)
    for archive in sorted(Path(sources).glob("*/*.whl")):
        unpack_go(archive, build)
    modules = {}
    for archive in sorted(Path(sources).glob("*/*.zip")):
        is_program = archive.parent.name == program
        name, version, folder = unpack_module(archive, build / "src" if is_program else build / "src/vendor", is_program)
        keep_notices(folder, build / "doc" / ("" if is_program else name))
        if not is_program:
            modules[name] = (version, folder)
    text = (build / "src/go.mod").read_text()
    (build / "src/vendor/modules.txt").write_text("".join(list_modules(text, modules)))


def unpack_go(archive: Path, build: Path) -> None:
    """The compiler, with the modes that the wheel notes."""
    with zipfile.ZipFile(archive) as wheel:
        for member in wheel.infolist():
            if member.filename.startswith("go/"):
                path = Path(wheel.extract(member, build))
                if mode := member.external_attr >> 16 & 0o777:
                    path.chmod(mode)


def unpack_module(archive: Path, target: Path, is_program: bool) -> tuple[str, str, Path]:
    """A module's name, version and folder; every member of its zip is below ``name@version/``."""
    with zipfile.ZipFile(archive) as module:
        name, _, rest = module.namelist()[0].partition("@")
        version = rest.partition("/")[0]
        folder = target if is_program else target / name
        for member in module.infolist():
            path = folder / member.filename.removeprefix(f"{name}@{version}/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(module.read(member))
    return name, version, folder


def keep_notices(folder: Path, target: Path) -> None:
    """What licences ask to be passed on with the program."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.upper().startswith(NOTICES):
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.name)


def list_modules(go_mod: str, modules: dict[str, tuple[str, Path]]):
    """``vendor/modules.txt``: what go.mod asks for, the versions that are here, and their packages."""
    for name, wanted in REQUIREMENT.findall(go_mod):
        version, folder = modules.get(name, (wanted, None))
        yield f"# {name} {version}\n"
        text = (folder / "go.mod").read_text() if folder and (folder / "go.mod").exists() else ""
        language = LANGUAGE.search(text)
        yield f"## explicit{f'; go {language[1]}' if language else ''}\n"
        packages = {path.parent for path in folder.rglob("*.go")} if folder else set()
        inner = [other for _, other in modules.values() if folder and other != folder and folder in other.parents]
        for package in sorted(packages):
            if not any(other == package or other in package.parents for other in inner):
                yield f"{name}/{package.relative_to(folder)}\n".replace("/.\n", "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
