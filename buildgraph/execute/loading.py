"""An image goes to the engine, and the store remembers which one it was."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from buildgraph.graph import references_of
from buildgraph.key import hash_document
from buildgraph.record import LOADED, Load, format_load, name_load

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from buildgraph.model import Composition, Image
    from buildgraph.ports import Cancel, Engine, Texts


def load_image(
    image: Image,
    composition: Composition,
    engine: Engine,
    *,
    texts: Texts,
    guard: Callable[[str], AbstractContextManager[None]],
    cancel: Cancel,
) -> tuple[str, ...]:
    """Put the image into the engine under its references, and remember both for each; the references.

    What was remembered is forgotten first: a load that does not come to its end may have moved a reference already.
    """
    references = references_of(image)
    # What is remembered must be what the engine was given last, also when two runs load two images of one name.
    with ExitStack() as held:
        for reference in sorted(references):
            held.enter_context(guard(hash_document({"load": reference})))
        for reference in references:
            texts.forget(LOADED, name_load(reference))
        engine.load(composition, references, cancel=cancel)
        for reference in references:
            texts.write(LOADED, name_load(reference), format_load(Load(composition.digest, engine.id)))
    return references
