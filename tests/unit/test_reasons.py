"""Chains from a node to what changed, over documents alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.explain import Change
from buildgraph.key import hash_document, hide_values
from buildgraph.reasons import Chain, Explanation, Link, describe_explanation, format_explanation, tell, trace
from tests.changes import MOVING, change_file
from tests.samples import make_world, sha256

if TYPE_CHECKING:
    from buildgraph.key import Document
    from buildgraph.reasons import Lookup, Root
    from tests.samples import World

WORLD = make_world()


def lookup(world: World, *, without: tuple[str, ...] = ()) -> Lookup:
    documents = {
        known.key: hide_values(known.document) for name, known in world.keys().keys.items() if name not in without
    }
    return documents.get


def find(world: World, node: str, *, without: tuple[str, ...] = ()) -> list[Root]:
    was, now = (one.keys().keys[node].key for one in (WORLD, world))
    return list(trace(node, was, now, old=lookup(WORLD, without=without), new=lookup(world)))


def told(roots: list[Root]) -> list[tuple[tuple[str, ...], list[str]]]:
    return [(root.chain, [str(change) for change in root.changes]) for root in roots]


def test_equal_keys_have_no_roots() -> None:
    assert find(WORLD, "shop") == []


def test_the_chain_is_the_shortest_of_several() -> None:
    changed = change_file(WORLD, "os", "customize.sh", "x:0")
    assert told(find(changed, "shop")) == [(("shop", "os"), ["file customize.sh changed"])]
    assert told(find(changed, "app")) == [(("app", "os"), ["file customize.sh changed"])]


def test_roots_come_nearest_first_and_each_once() -> None:
    changed = change_file(change_file(WORLD, "os", "customize.sh", "x:0"), "app", "Dockerfile", "-:0")
    assert [root.chain for root in find(changed, "shop")] == [("shop", "os"), ("shop", "app")]


def test_what_all_nodes_share_is_told_once() -> None:
    changed = MOVING["the epoch"][0](change_file(WORLD, "os", "customize.sh", "x:0"))
    assert told(find(changed, "shop")) == [
        (("shop",), ["epoch: 1767225600 -> 1"]),
        (("shop", "os"), ["file customize.sh changed"]),
    ]


def test_the_variable_of_a_layer_is_told_once_however_many_read_it() -> None:
    changed = MOVING["a parent's variable"][0](WORLD)
    assert told(find(changed, "shop")) == [(("shop",), ["variable JAVA_HOME of jdk changed"])]
    assert told(find(changed, "app")) == [(("app",), ["variable JAVA_HOME of jdk changed"])]


def test_a_document_that_is_gone_ends_its_chain_and_no_other() -> None:
    changed = change_file(change_file(WORLD, "os", "customize.sh", "x:0"), "app", "Dockerfile", "-:0")
    lost, known = told(find(changed, "shop", without=("os",)))
    key = WORLD.keys().keys["os"].key
    text = f"what changed in it cannot be told, as the store has no record of its key {key[:12]}"
    assert lost == (("shop", "os"), [text])
    assert known == (("shop", "app"), ["file Dockerfile changed"])


def test_a_chain_of_many_levels_is_followed_to_its_end() -> None:
    """As many levels as no recursion would survive."""
    levels = 5000

    def chain(root: str) -> dict[str, Document]:
        documents: dict[str, Document] = {}
        key = ""
        for level in range(levels):
            read: Document = {"node": f"n{level - 1}", "key": key, "env": {}, "prepend": {}}
            document: Document = {"files": {"a": root} if not level else {}, "reads": [read] if level else []}
            key = hash_document(document)
            documents[key] = document
        return documents

    old, new = chain(sha256("one")), chain(sha256("two"))
    (root,) = trace(f"n{levels - 1}", list(old)[-1], list(new)[-1], old=old.get, new=new.get)
    assert (len(root.chain), root.chain[-1]) == (levels, "n0")
    assert [str(change) for change in root.changes] == ["file a changed"]


def test_an_explanation_is_text_of_a_title_facts_and_indented_chains() -> None:
    changed = change_file(WORLD, "python", "files/x", "-:0")
    (root,) = find(changed, "shop")
    force = Change(kind="force", text="asked for by --force")
    explanation = Explanation(
        node="shop",
        state="to do",
        title="shop is to be composed",
        facts=("it is a shop",),
        chains=(
            tell(root, lambda name: f"({name}) is made"),
            Chain(links=(Link(node="os", text="os"),), changes=(force,)),
        ),
        fields=(("kind", "image"),),
    )
    assert format_explanation(explanation) == (
        "shop is to be composed\n"
        "  it is a shop\n"
        "\n"
        "shop (shop) is made because layer python changed\n"
        "  python (python) is made because file files/x is new\n"
        "\n"
        "os: asked for by --force"
    )
    document = describe_explanation(explanation)
    assert document["kind"] == "image"
    causes = document["causes"]
    assert isinstance(causes, list)
    assert [cause["chain"] for cause in causes if isinstance(cause, dict)] == [["shop", "python"], ["os"]]
