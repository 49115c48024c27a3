"""Which worker gets what: a scenario is the work of one, for its tests share its releases."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


class ByScenario(LoadScopeScheduling):  # type: ignore[misc]
    """What pytest's workers take next is a row of the table; of other tests it is a module, or a class."""

    def _split_scope(self, nodeid: str) -> str:
        return find_scenario(nodeid) or str(super()._split_scope(nodeid))


def find_scenario(nodeid: str) -> str:
    """The id of a row, which a test has in brackets at the end of its name; empty without."""
    return nodeid.rpartition("[")[2].removesuffix("]") if nodeid.endswith("]") else ""
