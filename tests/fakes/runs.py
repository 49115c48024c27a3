"""A kept run with one of everything: what was made, what failed its tests, what broke, and what that blocked."""

from __future__ import annotations

from dataclasses import replace

from buildgraph.history import Run, RunNode, RunStep


def make_run_node(
    name: str, kind: str = "files", *, reads: tuple[str, ...] = (), size: int = 0, digit: str = "0"
) -> RunNode:
    """A node; one with a size is built."""
    return RunNode(
        node=name,
        kind=kind,
        stage="final" if kind == "image" else "base",
        reads=reads,
        key=digit * 64,
        digest=f"sha256:{digit * 64}" if size else "",
        size=size,
        references=(f"sample/{name}:1",) if kind == "image" else (),
    )


def make_run_step(step_id: str, *needs: str, **fields: object) -> RunStep:
    """A step that was done in two seconds, but for the fields given."""
    action, _, rest = step_id.partition(":")
    step = RunStep(
        id=step_id,
        action=action,
        node=rest.partition("/")[0],
        reason="never built here",
        needs=needs,
        expected=1.5,
        outcome="done",
        started=0.0,
        seconds=2.0,
    )
    return replace(step, **fields)  # type: ignore[arg-type]


RUN = Run(
    run="20260102-150405-abcd",
    version="1.2.3",
    began="2026-01-02T15:04:05+00:00",
    seconds=12.5,
    exit_code=1,
    jobs=2,
    targets=("app", "plain"),
    nodes=(
        make_run_node("os", size=40_000_000, digit="1"),
        make_run_node("jars", reads=(), size=2_500_000, digit="2"),
        make_run_node("broken", digit="3"),
        make_run_node("plain", "image", reads=("os",), size=40_000_000, digit="4"),
        make_run_node("other", "image", reads=("os", "jars"), size=42_500_000, digit="5"),
        make_run_node("app", "image", reads=("os", "jars", "broken"), digit="6"),
    ),
    steps=(
        make_run_step("fetch:jars/pg", moved=2_400_000, seconds=1.0, note="2.4 MB"),
        make_run_step("build:jars", "fetch:jars/pg", started=1.0, moved=2_500_000, note="sha256:2222 2.5 MB"),
        make_run_step(
            "build:broken", outcome="failed", started=0.5, seconds=4.0, note="exit code 1", log="build_broken.log"
        ),
        make_run_step(
            "test:jars",
            "build:jars",
            outcome="failed",
            started=3.0,
            seconds=9.5,
            note="1 failed, 1 passed",
            details=("test_jars.py::test_two: no <jar>",),
            passed=1,
            failed=1,
            skipped=(("test_jars.py::test_gpu", "no GPU"),),
        ),
        make_run_step("test:plain", started=4.5, seconds=3.0, passed=4, note="4 passed, 0 skipped"),
        make_run_step(
            "compose:app", "build:broken", outcome="blocked", started=4.5, seconds=0.0, note="needs build:broken"
        ),
        make_run_step(
            "test:app", "compose:app", outcome="blocked", started=4.5, seconds=0.0, note="needs build:broken"
        ),
    ),
    documents={},
)
TAILS = {"build:broken": ("line one", "line <two>"), "test:jars": ("not shown, its details are",)}
