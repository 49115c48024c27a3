"""Byte code that depends on its source alone: ``python bytecode.py DIRECTORY NAME``.

A program of its own, run by the Python whose byte code it writes (3.10 or newer; PYTHONHASHSEED=0 fixes the order of
sets of strings). ``NAME`` is what ``DIRECTORY`` is called in the image; tracebacks show it.

compileall does not give the same bytes each time: marshal marks an object as shared when something else holds it at
that moment, and what the interpreter's caches hold depends on memory addresses. Here everything is held, so everything
is marked.
"""

import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType

UNCHECKED_HASH = 1


def collect(value: object, held: "list[object]") -> None:
    """Append ``value`` and all that marshal will reach from it."""
    held.append(value)
    if isinstance(value, CodeType):
        tables = (value.co_consts, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars)
        for part in (*tables, value.co_code, value.co_filename, value.co_name, value.co_linetable):
            collect(part, held)
    elif isinstance(value, (tuple, frozenset)):
        for part in value:
            collect(part, held)


def is_ordered(value: object) -> bool:
    """False for a set whose order depends on memory addresses: in Python 3.10 the hash of None and of ... does."""
    if isinstance(value, frozenset) and len(value) > 1:
        return all(isinstance(part, (str, bytes, int)) for part in value)
    if isinstance(value, CodeType):
        return all(is_ordered(part) for part in value.co_consts)
    return all(is_ordered(part) for part in value) if isinstance(value, (tuple, frozenset)) else True


def compile_module(path: Path, name: str) -> str:
    """Write the byte code of one module, never to be compared with the source again; why not, or nothing."""
    source = path.read_bytes()
    try:
        code = compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"it is no Python of this version ({type(error).__name__})"
    if not is_ordered(code):
        return "it holds a set without an order"
    held: "list[object]" = []
    collect(code, held)
    cached = Path(importlib.util.cache_from_source(str(path)))
    cached.parent.mkdir(exist_ok=True)
    header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    cached.write_bytes(header + marshal.dumps(code))
    return ""


def main(directory: str, name: str) -> None:
    """Compile every module below ``directory``, in sorted order, in this one process."""
    root = Path(directory)
    for path in sorted(root.rglob("*.py")):
        called = f"{name}/{path.relative_to(root).as_posix()}"
        problem = compile_module(path, called)
        if problem:
            print(f"not compiled: {called}: {problem}")


if __name__ == "__main__":
    main(*sys.argv[1:])
