"""What stays: everything that a root needs, down to the blobs, and nothing else."""

from __future__ import annotations

from types import MappingProxyType

from buildgraph.keep import Holdings, Manifest, Roots, find_live, parse_diff_ids, parse_holdings, parse_manifest
from buildgraph.model import LayerBlob, Verdict
from buildgraph.record import CONTENTS, LOADED, RECORDS, Load, Record, format_record
from tests.fakes.store import digest_of

NOTHING = Roots(keys=frozenset(), digests=frozenset(), test_keys=frozenset())


def key(name: str) -> str:
    return digest_of(name.encode()).removeprefix("sha256:")


def layer(node: str, version: str) -> Record:
    digest = digest_of(f"{node} {version}".encode())
    blob = LayerBlob(digest=digest, diff_id=digest, media_type="tar", size=1, unpacked=1)
    return Record(
        node=node,
        key=key(f"{node} {version}"),
        content_key=key(f"content of {node} {version}"),
        digest=digest,
        size=1,
        seconds=0.0,
        layer=blob,
        document={},
    )


def image(node: str, *layers: Record) -> tuple[Record, Manifest]:
    config = digest_of(f"config of {node} {layers}".encode())
    record = Record(
        node=node,
        key=key(f"{node} {layers}"),
        content_key="",
        digest=digest_of(f"manifest of {node} {layers}".encode()),
        size=len(layers),
        seconds=0.0,
        config_digest=config,
        document={"reads": [{"node": one.node, "key": one.key} for one in layers]},
    )
    return record, Manifest(config=config, layers=tuple((one.digest, one.size) for one in layers))


OLD, NEW, BASE = layer("tool", "1"), layer("tool", "2"), layer("base", "1")
OLD_APP, OLD_MANIFEST = image("app", BASE, OLD)
NEW_APP, NEW_MANIFEST = image("app", BASE, NEW)
ALL = (OLD, NEW, BASE, OLD_APP, NEW_APP)


def hold(**changes: object) -> Holdings:
    values: dict[str, object] = {
        "records": {record.key: record for record in ALL},
        "contents": {record.content_key: record.key for record in ALL if record.content_key},
        "manifests": {OLD_APP.digest: OLD_MANIFEST, NEW_APP.digest: NEW_MANIFEST},
    }
    return Holdings(**{**values, **changes})  # type: ignore[arg-type]


def keep(*records: Record) -> dict[str, str]:
    return {record.node: record.key for record in records}


def test_nothing_is_needed_for_its_own_sake() -> None:
    live = find_live(hold(), NOTHING)
    assert (live.records, live.blobs, live.contents) == (frozenset(), frozenset(), frozenset())


def test_the_newest_record_of_each_node_stays_with_its_blobs_and_what_leads_to_it() -> None:
    live = find_live(hold(latest=keep(NEW, BASE, NEW_APP)), NOTHING)
    assert live.records == {NEW.key, BASE.key, NEW_APP.key}
    assert live.blobs == {NEW.digest, BASE.digest, NEW_APP.digest, NEW_APP.config_digest}
    assert live.contents == {NEW.content_key, BASE.content_key}


def test_an_image_keeps_its_layers_and_their_records() -> None:
    live = find_live(hold(published={"app": OLD_APP.digest}), NOTHING)
    assert live.records == {OLD.key, BASE.key, OLD_APP.key}
    assert {OLD.digest, BASE.digest} <= live.blobs
    assert NEW.digest not in live.blobs


def test_a_pinned_digest_stays_even_without_a_record() -> None:
    records = {record.key: record for record in (NEW, BASE)}
    live = find_live(
        hold(records=records), Roots(keys=frozenset(), digests=frozenset({OLD_APP.digest}), test_keys=frozenset())
    )
    assert live.blobs == {OLD_APP.digest, OLD_MANIFEST.config, BASE.digest, OLD.digest}


def test_a_key_of_the_catalogue_stays() -> None:
    live = find_live(hold(), Roots(keys=frozenset({OLD.key}), digests=frozenset(), test_keys=frozenset()))
    assert live.records == {OLD.key}


def test_what_an_engine_was_given_is_remembered_of_images_that_stay() -> None:
    given = {"app": NEW_APP.digest, "twin": NEW_APP.digest, "old": OLD_APP.digest, "gone": digest_of(b"gone")}
    loaded = {name: Load(digest) for name, digest in given.items()}
    live = find_live(hold(loaded=loaded, latest=keep(NEW, BASE, NEW_APP)), NOTHING)
    assert live.loaded == {"app", "twin"}


def test_what_an_engine_was_given_keeps_no_blob() -> None:
    live = find_live(hold(loaded={"app": Load(NEW_APP.digest)}), NOTHING)
    assert (live.loaded, live.records, live.blobs) == (frozenset(), frozenset(), frozenset())


def test_what_an_engine_was_given_of_another_version_s_images_is_remembered() -> None:
    text = format_record(NEW_APP).replace('"record": 1', '"record": 99')
    held = parse_holdings(
        {RECORDS: {NEW_APP.key: text}, LOADED: {"app": NEW_APP.digest + "\n", "odd": "garbage"}}, MappingProxyType({})
    )
    assert held.loaded == {"app": Load(NEW_APP.digest)}
    assert (LOADED, "odd") in held.foreign
    assert find_live(held, NOTHING).loaded == {"app"}


def test_a_verdict_stays_while_it_can_spare_a_test() -> None:
    def passed(name: str, image: str) -> Verdict:
        return Verdict(node="tool", test_key=name, image=image, passed=1, skipped=(), seconds=0.0)

    verdicts = {
        "current": passed("current", digest_of(b"never written")),
        "of a live image": passed("of a live image", NEW_APP.digest),
        "of live layers": passed("of live layers", digest_of(b"test image")),
        "old": passed("old", OLD_APP.digest),
    }
    tested = Manifest(config=digest_of(b"c"), layers=((NEW.digest, 1),))
    held = hold(
        verdicts=verdicts,
        latest=keep(NEW, BASE, NEW_APP),
        manifests={OLD_APP.digest: OLD_MANIFEST, NEW_APP.digest: NEW_MANIFEST, digest_of(b"test image"): tested},
    )
    live = find_live(held, Roots(keys=frozenset(), digests=frozenset(), test_keys=frozenset({"current"})))
    assert live.verdicts == {"current", "of a live image", "of live layers"}
    assert {digest_of(b"test image"), digest_of(b"c")} <= live.blobs


def test_what_another_version_of_the_program_names_stays() -> None:
    text = format_record(OLD).replace('"record": 1', '"record": 99')
    held = parse_holdings({RECORDS: {OLD.key: text}, CONTENTS: {OLD.content_key: OLD.key}}, MappingProxyType({}))
    assert held.records == {}
    live = find_live(held, NOTHING)
    assert OLD.digest in live.blobs
    assert live.contents == {OLD.content_key}


def test_what_is_no_manifest_and_no_config_is_none() -> None:
    for data in (b"", b"[]", b'{"layers": [{}]}', b'{"layers": [], "config": {"digest": "sha256:1"}}', b"\xff"):
        assert parse_manifest(data) is None
        assert parse_diff_ids(data) is None
