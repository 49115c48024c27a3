"""What people get wrong in manifests, in small cases: a name, and what is changed in a sound project.

The exact answers stand in ``tests/golden/mistakes.txt``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.documents import DOCUMENTS
from tests.mistakes.graph import GRAPH
from tests.mistakes.images import IMAGES
from tests.mistakes.layers import LAYERS
from tests.mistakes.project import PROJECT
from tests.mistakes.support import SUPPORT
from tests.mistakes.templates import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mistakes.edits import Changes

TOPICS: Mapping[str, Mapping[str, Changes]] = {
    "documents": DOCUMENTS,
    "layers": LAYERS,
    "images": IMAGES,
    "project and pins": PROJECT,
    "support": SUPPORT,
    "expressions": TEMPLATES,
    "between documents": GRAPH,
}
MISTAKES: Mapping[str, Changes] = {name: changes for cases in TOPICS.values() for name, changes in cases.items()}
