"""What the project says about licences: rules that are used, in SPDX's words, and labels that agree with the lock."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.session import Session, open_session
from buildgraph.bill.cyclonedx import is_spdx
from buildgraph.licences import find_rule, find_stale
from buildgraph.model import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.model import Artifact

ROOT = Path(__file__).parents[2]
SPEC = "org.opencontainers.image."
LABEL = f"{SPEC}licenses"
OWN = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return open_session(ROOT, store=tmp_path_factory.mktemp("store"), lock_file=None, environ=dict(os.environ))


def artifacts(session: Session, *layers: str) -> Iterator[Artifact]:
    for name in layers or session.lock.entries:
        for entry in session.lock.entries.get(name, {}).values():
            yield from entry.artifacts


def test_the_lock_says_what_the_rules_say(session: Session) -> None:
    assert list(find_stale(session.lock, session.catalogue.licences)) == []


def test_no_rule_stands_behind_another_and_all_are_in_spdx_s_words(session: Session) -> None:
    rules = session.catalogue.licences
    coordinates = [artifact.coordinate for artifact in artifacts(session)]
    used = {find_rule(rules, coordinate) for coordinate in coordinates}
    for rule in rules:
        meant = [coordinate for coordinate in coordinates if fnmatchcase(coordinate, rule.match)]
        assert rule in used or not meant, rule.match
        assert is_spdx(rule.licence), rule.licence


def test_every_source_but_debian_s_has_a_licence(session: Session) -> None:
    unknown = [
        one.coordinate for one in artifacts(session) if not one.licence and not one.coordinate.startswith("deb:")
    ]
    assert unknown == []


def test_images_say_what_they_are_by_the_names_of_the_image_spec(session: Session) -> None:
    must, may = {"title", "version", "licenses"}, {"description"}
    for image in session.catalogue.nodes.values():
        if isinstance(image, Image):
            names = {key.removeprefix(SPEC) for key in image.config.labels if key.startswith(SPEC)}
            # No image has a base image, and what comes from git or a clock would differ from one build to the next.
            assert must <= names <= must | may, image.name
            assert all(image.config.labels[f"{SPEC}{name}"].strip() for name in names), image.name


def test_the_label_of_an_image_names_just_the_terms_of_what_is_in_it(session: Session) -> None:
    images = [node for node in session.catalogue.nodes.values() if isinstance(node, Image)]
    assert images
    for image in images:
        found = {own for one in artifacts(session, *image.layers) for own in OWN.findall(one.licence)}
        label = image.config.labels[LABEL]
        assert set(OWN.findall(label)) == found, image.name
        assert is_spdx(label), image.name
