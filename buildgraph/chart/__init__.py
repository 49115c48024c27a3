"""Charts. Pure: texts and bytes come in; what a chart is made of, names and is published as comes out."""

from buildgraph.chart.artifact import compose_chart, make_tag
from buildgraph.chart.ignore import IGNORE_FILE, IgnoreRules, parse_rules
from buildgraph.chart.images import Use, find_uses
from buildgraph.chart.metadata import (
    CHART_FILE,
    LIBRARY,
    LOCK_FILE,
    Chart,
    Dependency,
    check_lock,
    format_lock,
    parse_chart,
)
from buildgraph.chart.origins import Origin, find_origin

__all__ = [
    "CHART_FILE",
    "IGNORE_FILE",
    "LIBRARY",
    "LOCK_FILE",
    "Chart",
    "Dependency",
    "IgnoreRules",
    "Origin",
    "Use",
    "check_lock",
    "compose_chart",
    "find_origin",
    "find_uses",
    "format_lock",
    "make_tag",
    "parse_chart",
    "parse_rules",
]
