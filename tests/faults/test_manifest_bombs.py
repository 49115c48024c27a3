"""Fault 32: texts that are small to write and huge to read are refused at once, in a process that may hold little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.samples import LAYER_TEXT, PROJECT_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
SECONDS = 10
MEMORY = 1 << 30
MEGABYTES = 100
MEGABYTE = 1 << 20
PATIENCE = 120

# Reads the project in argv[1] as a command does; says what was refused, and what it took.
PROGRAM = """
import json, resource, sys
from pathlib import Path
memory, seconds = map(int, sys.argv[2:])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
from buildgraph.app.session import open_session
from buildgraph.errors import BuildgraphError
try:
    open_session(Path(sys.argv[1]), store=None, lock_file=None, environ={"BUILDGRAPH_STORE": "/nowhere"})
    said = ""
except BuildgraphError as error:
    said = str(error)
from tests.faults.memory import peak_megabytes
print(json.dumps({"said": said[:1000] + said[-1000:], "megabytes": peak_megabytes()}))
"""


def expression(text: str) -> str:
    return LAYER_TEXT.replace("An app", "'" + text.replace("'", "''") + "'")


def lines(count: int, form: str) -> str:
    return "".join(form.format(number) for number in range(count))


BOMBS: Mapping[str, tuple[str, str]] = {
    "aliases": (
        "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12)),
        "app.yaml:1: anchors and aliases are not allowed; write it out",
    ),
    "merge keys": (
        "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{<<: [{f'*a{n - 1}, ' * 9}]}}\n" for n in range(1, 9)),
        "app.yaml:1: anchors and aliases are not allowed; write it out",
    ),
    "depth in brackets": ("a: " + "[" * 2000 + "]" * 2000 + "\n", "app.yaml:1: nested deeper than 64 levels"),
    "depth in braces": ("a: " + "{b: " * 200_000 + "\n", "app.yaml:1: nested deeper than 64 levels"),
    "depth in dashes": ("a:\n" + "- " * 2000 + "x\n", "app.yaml:2: nested deeper than 64 levels"),
    "depth in indents": (
        "".join(f"{' ' * n}a:\n" for n in range(1000)),
        "app.yaml:65: nested deeper than 64 levels",
    ),
    "depth in complex keys": ("? " * 2000 + "x\n", "app.yaml:1: nested deeper than 64 levels"),
    "50 MB": ("a: x\n" * (10 * MEGABYTE), "app.yaml: more than the limit of 1048576 bytes; split it"),
    "50 MB that are no text": (
        "\udcff" * (50 * MEGABYTE),
        "app.yaml: more than the limit of 1048576 bytes; split it",
    ),
    "an object of Python": (
        "a: !!python/object/apply:os.system ['touch /canary']\n",
        "app.yaml:1: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed; remove it",
    ),
    "duplicate keys": (LAYER_TEXT + "kind: rootfs\n", "app.yaml:7: the key 'kind' stands already in line 2"),
    "an unquoted version": (
        LAYER_TEXT + "variants: {v: {version: 3.10}}\n",
        'app.yaml:7 (variants.v.version): 3.10 is not a string to YAML; quote it: "3.10"',
    ),
    "a product": (expression("{{ 'x' * 10**10 }}"), "'*' is not allowed in an expression"),
    "a power": (expression("{{ 9 ** 9 ** 9 }}"), "'**' is not allowed in an expression"),
    "a loop": (expression("{% for i in range(10**9) %}x{% endfor %}"), "statements are not allowed"),
    "variants times values": (
        LAYER_TEXT + "variants:\n" + lines(20_000, "  v{}: {{}}\n") + "env:\n" + lines(20_000, "  A{}: x\n"),
        "(variants): 400200000 values in all variants are more than the limit of 100000; split it",
    ),
    "mistakes by the thousand": (
        LAYER_TEXT + "env:\n" + lines(20_000, "  A{}: 1\n"),
        "(env.A19999): 1 is not a string",
    ),
    "unknown names by the thousand": (
        LAYER_TEXT + "test_on:\n" + lines(20_000, "  - x{}\n"),
        "test_on names x19999, which is no node; see: buildgraph list",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_fault_32_it_is_refused_within_little_memory_and_time(name: str, tmp_path: Path) -> None:
    text, said = BOMBS[name]
    for folder in ("manifests/layers", "layers/app"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "manifests/project.yaml").write_text(PROJECT_TEXT)
    (tmp_path / "layers/app/test_app.py").write_text("")
    (tmp_path / "manifests/layers/app.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    found = read_limited(tmp_path)
    assert said in str(found["said"])
    assert float(found["megabytes"]) < MEGABYTES
    assert not Path("/canary").exists()


def read_limited(project: Path) -> dict[str, float | str]:
    """What a process says that may use so much memory and processor time and no more."""
    argv = [sys.executable, "-c", PROGRAM, str(project), str(MEMORY), str(SECONDS)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, float | str] = json.loads(done.stdout)
    return found
