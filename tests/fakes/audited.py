"""Runs the program and says, as the last line of standard error, whom it called and what it loaded: ``-m`` this."""

from __future__ import annotations

import json
import sys

WATCHED = (
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "socket.connect",
    "socket.get",
)

calls: list[str] = []


def watch(event: str, _args: tuple[object, ...]) -> None:
    if event.startswith(WATCHED):
        calls.append(event)


def main() -> None:
    sys.addaudithook(watch)
    from buildgraph.cli import main as program

    try:
        program()
    finally:
        print(json.dumps({"calls": calls, "modules": sorted(sys.modules)}), file=sys.stderr)


if __name__ == "__main__":
    main()
