"""PyIceberg writes and reads tables without Spark, through Arrow's file systems and fsspec's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run, Serve

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
ACCESS = "proof-user"
SECRET = "proof/secret+key"  # noqa: S105 - of this test's own server
START_SECONDS = 120
# Several parts of at least 5 MiB, the least that S3 takes for any part but the last.
FILE_SYSTEM = """
import os
import sys
import fsspec

files = fsspec.filesystem("s3", endpoint_url=f"http://{sys.argv[1]}:7070")
print(type(files).__module__)
files.mkdir("proof")
text = bytes(range(256)) * 4096 * 12
with files.open("proof/folder/file", "wb", block_size=5 * 2**20) as file:
    for start in range(0, len(text), 2**20):
        file.write(text[start : start + 2**20])
parts = files.info("proof/folder/file")["ETag"].strip('"').partition("-")[2]
print(files.ls("proof/folder"), files.cat("proof/folder/file") == text, int(parts) > 1)
files.mv("proof/folder/file", "proof/moved")
print(files.exists("proof/folder/file"), files.cat("proof/moved", start=-3))
stranger = fsspec.filesystem("s3", endpoint_url=files.endpoint_url, key=os.environ["AWS_ACCESS_KEY_ID"], secret="x")
try:
    stranger.ls("proof")
except OSError as error:
    print(error.__cause__.response["Error"]["Code"])
"""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports(host: Host, module: str) -> None:
    host.run_expect([0], f"python3 -c 'import {module}'")


@pytest.mark.inherited
@pytest.mark.parametrize("files", ["pyiceberg.io.pyarrow.PyArrowFileIO", "pyiceberg.io.fsspec.FsspecFileIO"])
def test_a_table_is_written_read_and_travelled_through(run: Run, files: str) -> None:
    done = run("python3", "-c", TABLE, files, entrypoint=(), tmpfs=["/tmp"])
    assert done.output.splitlines() == ["['three', 'two']", "[1, 2]", "2 2"]


def test_fsspec_works_with_files_on_s3(run: Run, service: Serve) -> None:
    server = service("versitygw", env={"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}, network="bridge")
    server.wait_for(port=7070, timeout=START_SECONDS)
    keys = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    said = run("python3", "-c", FILE_SYSTEM, server.address, network="bridge", env=keys).output
    assert said.splitlines() == [
        "s3fs.core",
        "['proof/folder/file'] True True",
        r"False b'\xfd\xfe\xff'",
        "SignatureDoesNotMatch",
    ]
