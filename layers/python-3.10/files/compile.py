"""Writes byte code for every module below a directory: ``python compile.py DIRECTORY``. The same modules give the same bytes.

compileall does not quite: marshal marks an object as shared when something else holds it at that moment, and what the
interpreter's caches hold depends on memory addresses. Here everything is held, so everything is marked. Run it with
PYTHONHASHSEED=0, which fixes the order of sets.
"""

import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType


def collect(value: object, held: list) -> None:
    """Append ``value`` and all that marshal will reach from it."""
    held.append(value)
    if isinstance(value, CodeType):
        parts = (value.co_code, value.co_consts, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        for part in (*parts, value.co_filename, value.co_name, value.co_linetable):
            collect(part, held)
    elif isinstance(value, (tuple, frozenset)):
        for part in value:
            collect(part, held)


def is_ordered(value: object) -> bool:
    """False for a set whose order depends on memory addresses: in Python 3.10 the hash of None and of ... does."""
    if isinstance(value, frozenset) and len(value) > 1 and not all(isinstance(part, (str, bytes, int)) for part in value):
        return False
    parts = value.co_consts if isinstance(value, CodeType) else value if isinstance(value, (tuple, frozenset)) else ()
    return all(is_ordered(part) for part in parts)


def compile_module(path: Path) -> None:
    """Write the byte code that belongs to ``path``; it is never compared with the source again."""
    source = path.read_bytes()
    code = compile(source, str(path), "exec", dont_inherit=True)
    if not is_ordered(code):
        print(f"{path}: left without byte code, it holds a set without an order")
        return
    held: list = []
    collect(code, held)
    cached = Path(importlib.util.cache_from_source(str(path)))
    cached.parent.mkdir(exist_ok=True)
    unchecked = 1
    header = importlib.util.MAGIC_NUMBER + unchecked.to_bytes(4, "little") + importlib.util.source_hash(source)
    cached.write_bytes(header + marshal.dumps(code))


def main() -> None:
    """Compile in sorted order, in this one process."""
    for path in sorted(Path(sys.argv[1]).rglob("*.py")):
        compile_module(path)


main()
