"""Documents → catalogue. Pure: texts come in, values or all mistakes of a run come out."""

from buildgraph.manifest.catalogue import Documents, parse_catalogue

__all__ = ["Documents", "parse_catalogue"]
