"""What images and layers hold, found in the lock and in the layers: as a CycloneDX document or a table."""

from buildgraph.bill.assemble import make_bill
from buildgraph.bill.contents import MEMBERS, PATTERNS, is_archive, is_wanted
from buildgraph.bill.values import Bill, Component, LayerContents

__all__ = [
    "MEMBERS",
    "PATTERNS",
    "Bill",
    "Component",
    "LayerContents",
    "is_archive",
    "is_wanted",
    "make_bill",
]
