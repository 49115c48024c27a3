"""Takes the figures and prints them as one table: ``python -m tests.figures [NAME...] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.figures.catalogue import FIGURES, find_figure
from tests.figures.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = ("figure", "how", "target", "result", "seconds")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every target is met, 1 else."""
    parser = argparse.ArgumentParser(prog="python -m tests.figures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(FIGURES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there as JSON, too")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in FIGURES]
    if unknown:
        parser.error(f"no figure is called {', '.join(unknown)}")
    # A shell ignores SIGINT for what it starts in the background, and so would the builds that are interrupted here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(format_row(HEAD))
    print("|" + "---|" * len(HEAD))
    rows = []
    for name in options.names or FIGURES:
        figure, seconds = take(name)
        rows.append({**asdict(figure), "seconds": round(seconds, 1)})
        result = figure.result if figure.ok else f"**missed**: {figure.result}"
        print(format_row((figure.name, figure.how, figure.target, result, f"{seconds:.0f}")), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["ok"] for row in rows) else 1


def take(name: str) -> tuple[Figure, float]:
    """The figure, and the seconds that it took. One that cannot be taken has missed its target."""
    began = time.monotonic()
    try:
        figure = find_figure(name)()
    except Exception as error:  # noqa: BLE001 - the other figures are still to be taken
        what = " ".join(f"{type(error).__name__}: {error}".split())[:300].replace("|", "/")
        figure = Figure(name=name, how="", target="it can be taken", result=what, ok=False)
    return figure, time.monotonic() - began


def format_row(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
