"""PyIceberg writes and reads tables without Spark, through Arrow's file systems and fsspec's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

MODULES = (
    "pyiceberg.catalog.rest",
    "pyiceberg.catalog.sql",
    "pyiceberg.io.fsspec",
    "pyiceberg.io.pyarrow",
    "fsspec",
    "s3fs",
    "aiobotocore.session",
)
TABLE = """
import pathlib, sys, tempfile
import pyarrow
from pyiceberg.catalog.sql import SqlCatalog

folder = tempfile.mkdtemp()
settings = {"uri": f"sqlite:///{folder}/catalogue.db", "warehouse": f"file://{folder}/warehouse"}
catalogue = SqlCatalog("local", **settings, **{"py-io-impl": sys.argv[1]})
catalogue.create_namespace("shop")
rows = pyarrow.table({"id": pyarrow.array([1, 2], pyarrow.int64()), "name": ["one", "two"]})
table = catalogue.create_table("shop.things", schema=rows.schema)
table.append(rows)
first = table.current_snapshot().snapshot_id
table.append(pyarrow.table({"id": pyarrow.array([3], pyarrow.int64()), "name": ["three"]}))
with table.update_schema() as update:
    update.rename_column("name", "title")
table = catalogue.load_table("shop.things")
print(sorted(table.scan(row_filter="id > 1").to_pandas()["title"]))
print(sorted(table.scan(snapshot_id=first).to_arrow()["id"].to_pylist()))
print(len(table.history()), len(list(pathlib.Path(folder).rglob("*.parquet"))))
"""
FILE_SYSTEM = """
import fsspec
print(type(fsspec.filesystem("s3", endpoint_url="http://localhost:1", key="k", secret="s")).__module__)
"""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports(host: Host, module: str) -> None:
    host.run_expect([0], f"python3 -c 'import {module}'")


@pytest.mark.inherited
@pytest.mark.parametrize("files", ["pyiceberg.io.pyarrow.PyArrowFileIO", "pyiceberg.io.fsspec.FsspecFileIO"])
def test_a_table_is_written_read_and_travelled_through(run: Run, files: str) -> None:
    done = run("python3", "-c", TABLE, files, entrypoint=(), tmpfs=["/tmp"])
    assert done.output.splitlines() == ["['three', 'two']", "[1, 2]", "2 2"]


def test_fsspec_finds_s3(run: Run) -> None:
    assert run("python3", "-c", FILE_SYSTEM).output == "s3fs.core"
