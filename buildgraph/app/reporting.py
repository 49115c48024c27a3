"""Reports of runs that ended: read from the store, put into the form asked for, written where people look."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph import __version__
from buildgraph.adapters.disk import PendingFile
from buildgraph.adapters.process import tail
from buildgraph.app.building import TAIL_LINES, default_jobs
from buildgraph.app.runs import LAST, find_run
from buildgraph.errors import EnvironmentFault, UsageError
from buildgraph.history import RUN_FILE, Result, Run, cases_name, format_run, log_name, make_run, parse_run
from buildgraph.report.figures import find_failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from buildgraph.app.planning import Planned
    from buildgraph.app.runs import KeptRun
    from buildgraph.app.session import Session

CASES_BYTES = 16 * 1024 * 1024
SUFFIXES = {".html": "html", ".htm": "html", ".xml": "junit", ".json": "json", ".md": "github", ".txt": "text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A run that ended, and the folder of its logs; one that had nothing to do has logs nowhere."""

    run: Run
    folder: Path


def find_reported(runs: Sequence[KeptRun], name: str) -> Reported:
    """The run whose id begins with ``name``; for nothing and ``last`` the newest that ended. ``runs``: newest first."""
    ended, is_last = [kept for kept in runs if kept.run], name in {"", LAST}
    if is_last and not ended:
        raise UsageError("no run is kept that came to its end", hint="run: buildgraph build")
    kept = ended[0] if is_last else find_run(runs, name)
    if kept.run is None:
        what = "this run did not come to its end, or another version wrote it"
        raise UsageError(what, where=str(kept.folder), hint=f"see: buildgraph logs --run {kept.name}")
    return Reported(run=kept.run, folder=kept.folder)


def read_reported(session: Session, name: str) -> Reported:
    """The run of that id, which has just ended."""
    folder = session.store.runs / name
    run = parse_run((folder / RUN_FILE).read_text(encoding="utf-8"))
    assert run is not None
    return Reported(run=run, folder=folder)


def make_idle_run(session: Session, planned: Planned) -> Reported:
    """A run that had nothing to do, for reports; it is not kept."""
    began = datetime.now(tz=UTC)
    run = make_run(
        Result(run=f"{began:%Y%m%d-%H%M%S}-idle", steps=(), seconds=0.0, refused=planned.plan.refused),
        planned.plan,
        session.catalogue,
        planned.keys,
        planned.records,
        version=__version__,
        began=began.isoformat(timespec="seconds"),
        jobs=default_jobs(),
    )
    return Reported(run=run, folder=session.store.runs / run.run)


def choose_form(form: str, output: Path | None) -> str:
    """``form``, else what the name of the output says, else text."""
    return form or SUFFIXES.get(output.suffix.lower() if output else "", "text")


def render(kept: Reported, form: str) -> str:
    """The report in one of ``FORMS``."""
    return FORMS[form](kept)


def write_report(kept: Reported, form: str, output: Path) -> None:
    """Write it as a whole, or leave what was there."""
    text, file = render(kept, form), output.resolve()
    try:
        pending = PendingFile(file.parent)
        try:
            pending.write(text.encode("utf-8", "replace"))
            pending.publish(file)
        finally:
            pending.discard()
    except OSError as error:
        raise _refused(output, error) from error


def tell_github(kept: Reported, environ: Mapping[str, str]) -> None:
    """Append to the job's summary page and outputs, where the program runs in a GitHub job."""
    texts = {"GITHUB_STEP_SUMMARY": _summary, "GITHUB_OUTPUT": _outputs}
    for variable, make in texts.items():
        if environ.get(variable):
            file = Path(environ[variable])
            try:
                with file.open("a", encoding="utf-8", errors="replace") as sink:
                    sink.write(make(kept))
            except OSError as error:
                raise _refused(file, error) from error


def _html(kept: Reported) -> str:
    from buildgraph.report.html import format_html

    return format_html(kept.run, _tails(kept))


def _junit(kept: Reported) -> str:
    from buildgraph.report.junit import format_junit

    return format_junit(kept.run, _cases(kept), _tails(kept))


def _markdown(kept: Reported) -> str:
    from buildgraph.report.github import format_markdown

    return format_markdown(kept.run, _tails(kept))


def _summary(kept: Reported) -> str:
    return _markdown(kept) + "\n"


def _outputs(kept: Reported) -> str:
    from buildgraph.report.github import format_digests

    return f"digests={format_digests(kept.run)}\n"


def _text(kept: Reported) -> str:
    from buildgraph.report.summary import format_text

    return format_text(kept.run, _tails(kept)) + "\n"


FORMS: Mapping[str, Callable[[Reported], str]] = {
    "html": _html,
    "junit": _junit,
    "json": lambda kept: format_run(kept.run),
    "text": _text,
    "github": _markdown,
}


def _tails(kept: Reported) -> dict[str, tuple[str, ...]]:
    """The last lines of the failed steps' logs, where they are still there."""
    logs = {step.id: kept.folder / log_name(step.id) for step in find_failed(kept.run)}
    return {step: tail(log, TAIL_LINES) for step, log in logs.items() if log.is_file()}


def _cases(kept: Reported) -> dict[str, str]:
    """What the tests of each step wrote as JUnit XML; files that are missing or too large count as none."""
    files = {step.id: kept.folder / cases_name(step.id) for step in kept.run.steps}
    return {
        step: file.read_text(encoding="utf-8", errors="replace")
        for step, file in files.items()
        if file.is_file() and file.stat().st_size <= CASES_BYTES
    }


def _refused(file: Path, error: OSError) -> EnvironmentFault:
    what = f"cannot write the report: {os.strerror(error.errno or 0)}"
    return EnvironmentFault(what, where=str(file), hint="name another file, or make room for it")
