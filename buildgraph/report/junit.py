"""A kept run → JUnit XML: a suite for each node that had steps. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from buildgraph.events import Outcome
from buildgraph.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from buildgraph.history import Run, RunNode, RunRefusal, RunStep

# What XML 1.0 cannot hold, however it is escaped.
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARTS = ("failure", "error", "skipped")
_DATE_LENGTH = len("2026-01-01T00:00:00")
_COUNTED = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def format_junit(run: Run, cases: Mapping[str, str], tails: Mapping[str, Sequence[str]]) -> str:
    """The document. ``cases``: step id → what its tests wrote as JUnit XML; ``tails``: step id → last lines of its log.

    A node's suite has a case for each test, and one for each other step; fetches only where they did not succeed.
    Reused nodes had no step and are left out. A refused node has one case, which is skipped.
    """
    steps: dict[str, list[RunStep]] = {}
    for step in run.steps:
        steps.setdefault(step.node, []).append(step)
    nodes = {node.node: node for node in run.nodes}
    suites = [_make_suite(run, name, nodes.get(name), each, cases, tails) for name, each in steps.items()]
    suites += [_make_refused(run, refusal) for refusal in run.refused]
    root = ET.Element(
        "testsuites", name=f"buildgraph {run.run}", tests=str(sum(int(s.get("tests", 0)) for s in suites))
    )
    for name in ("failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in suites)))
    root.set("time", f"{run.seconds:.3f}")
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _make_suite(
    run: Run,
    name: str,
    node: RunNode | None,
    steps: Sequence[RunStep],
    cases: Mapping[str, str],
    tails: Mapping[str, Sequence[str]],
) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(name))
    facts = {"key": node.key, "digest": node.digest, "kind": node.kind} if node else {}
    if any(facts.values()):
        properties = ET.SubElement(suite, "properties")
        for key, value in facts.items():
            if value:
                ET.SubElement(properties, "property", name=key, value=_clean(value))
    for step in steps:
        suite.extend(_make_cases(step, cases.get(step.id, ""), tails.get(step.id, ())))
    found = suite.findall("testcase")
    suite.set("tests", str(len(found)))
    for attribute, part in _COUNTED:
        suite.set(attribute, str(sum(case.find(part) is not None for case in found)))
    suite.set("time", f"{sum(step.seconds for step in steps):.3f}")
    suite.set("timestamp", run.began[:_DATE_LENGTH])
    return suite


def _make_refused(run: Run, refusal: RunRefusal) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(refusal.node), tests="1", failures="0", errors="0", skipped="1")
    suite.set("time", "0.000")
    suite.set("timestamp", run.began[:_DATE_LENGTH])
    case = ET.SubElement(suite, "testcase", classname=_clean(refusal.node), name=refusal.cause, time="0.000")
    ET.SubElement(case, "skipped", message=_clean(f"{refusal.reason}; {refusal.hint}"), type=refusal.cause)
    return suite


def _make_cases(step: RunStep, xml: str, tail: Sequence[str]) -> Iterator[ET.Element]:
    tests = list(_copy_cases(step, xml)) if step.action == Action.TEST else []
    if tests:
        yield from tests
        # Tests that did not get to their end have failed, whatever they reported.
        is_told = any(case.find(part) is not None for case in tests for part in _PARTS[:2])
        if step.outcome != Outcome.FAILED or is_told:
            return
    is_quiet = step.action == Action.FETCH and step.outcome in {Outcome.DONE, Outcome.REUSED}
    if not is_quiet:
        yield _make_case(step, tail)


def _make_case(step: RunStep, tail: Sequence[str]) -> ET.Element:
    """The step itself as a case: an error when it failed, skipped when it never ran."""
    case = ET.Element("testcase", classname=_clean(step.node), name=_clean(step.id), time=f"{step.seconds:.3f}")
    if step.outcome == Outcome.FAILED:
        kind = "failure" if step.failed else "error"
        part = ET.SubElement(case, kind, message=_clean(step.note), type=step.action)
        part.text = _clean("\n".join(step.details or tail))
    elif step.outcome in {Outcome.BLOCKED, Outcome.CANCELLED}:
        ET.SubElement(case, "skipped", message=_clean(step.note), type=step.outcome)
    return case


def _copy_cases(step: RunStep, xml: str) -> Iterator[ET.Element]:
    """The cases of a test run, with what the common schema knows of them; nothing of a text that is no XML."""
    try:
        found = list(ET.fromstring(_clean(xml)).iter("testcase")) if xml else []  # noqa: S314 - pytest wrote it
    except ET.ParseError:
        return
    for case in found:
        name = _clean(case.get("name") or step.id)
        group = _clean(case.get("classname") or step.node)
        copy = ET.Element("testcase", classname=f"{step.node}.{group}", name=name, time=_clean(case.get("time") or "0"))
        for part in case:
            if part.tag in _PARTS:
                message = _clean(part.get("message") or "")
                twin = ET.SubElement(copy, part.tag, message=message, type=_clean(part.get("type") or step.action))
                twin.text = part.text
                break
        yield copy


def _clean(text: str) -> str:
    return _INVALID.sub("\N{REPLACEMENT CHARACTER}", text)
