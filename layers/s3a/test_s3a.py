"""S3A: just the SDK modules that it needs, proven by writing to and reading from a server that speaks S3.

The server is a few lines of Python in the same container: it keeps objects in memory, knows multipart uploads
and copies, and does not check signatures. What it proves is that no class is missing on the way.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.fixtures import Completed, Host, Run

# artifact-version[-classifier].jar; the version is the last part that starts with a digit.
VERSION = re.compile(r"(.+)-\d[\w.]*?((?:-[a-z]\w*)*\.jar)")
SERVER = '''
import hashlib, http.server, re, threading, urllib.parse, uuid

STAMP = "2026-01-01T00:00:00.000Z"


def tag(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


class Bucket(http.server.BaseHTTPRequestHandler):
    """Answers path-style requests; the first path segment is the bucket."""

    protocol_version = "HTTP/1.1"
    objects, uploads, seen = {}, {}, set()

    def answer(self, code, body=b"", length=None, **headers):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def xml(self, tag, content):
        self.answer(200, f'<?xml version="1.0"?><{tag}>{content}</{tag}>'.encode(), Content_Type="application/xml")

    def body(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", "") and not data[:90].count(b";chunk-signature="):
            return data
        plain = b""
        while data:
            head, _, data = data.partition(b"\\r\\n")
            size = int(head.split(b";")[0] or b"0", 16)
            if not size:
                return plain
            plain, data = plain + data[:size], data[size + 2:]
        return plain

    def parse(self):
        url = urllib.parse.urlsplit(self.path)
        bucket, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        return key, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        key, query = self.parse()
        if not key:
            return self.list(query) if "list-type" in query or "prefix" in query else self.answer(200)
        if key not in self.objects:
            self.answer(404, b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>none</Message></Error>')
            return
        data, code, extra = self.objects[key], 200, {}
        wanted = re.fullmatch(r"bytes=(\\d+)-(\\d*)", self.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
            extra = {"Content_Range": f"bytes {first}-{last}/{len(data)}"}
            data, code = data[first:last + 1], 206
        self.answer(code, data, ETag=tag(self.objects[key]), Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT", **extra)

    def list(self, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        below = {key: key[len(prefix):].partition("/") for key in keys}
        folders = {prefix + name + "/" for name, slash, _ in below.values() if delimiter and slash}
        files = [key for key, (_, slash, _) in below.items() if not (delimiter and slash)]
        content = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{STAMP}</LastModified>"
            f"<ETag>{tag(self.objects[key])}</ETag><Size>{len(self.objects[key])}</Size></Contents>" for key in files)
        content += "".join(f"<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>" for name in sorted(folders))
        count = len(files) + len(folders)
        self.xml("ListBucketResult", f"<IsTruncated>false</IsTruncated><KeyCount>{count}</KeyCount>{content}")

    def do_PUT(self):
        key, query = self.parse()
        data, source = self.body(), self.headers.get("x-amz-copy-source")
        if source:
            self.seen.add("copy")
            self.objects[key] = self.objects[urllib.parse.unquote(source).lstrip("/").partition("/")[2]]
            self.xml("CopyObjectResult", f"<LastModified>{STAMP}</LastModified><ETag>{tag(self.objects[key])}</ETag>")
            return
        if "uploadId" in query:
            self.uploads[query["uploadId"]][int(query["partNumber"])] = data
        else:
            self.objects[key] = data
        self.answer(200, ETag=tag(data))

    def do_POST(self):
        key, query = self.parse()
        data = self.body()
        if "delete" in query:
            for name in re.findall(rb"<Key>([^<]*)</Key>", data):
                self.objects.pop(name.decode(), None)
            self.xml("DeleteResult", "")
        elif "uploads" in query:
            upload = uuid.uuid4().hex
            self.uploads[upload] = {}
            self.xml("InitiateMultipartUploadResult", f"<Key>{key}</Key><UploadId>{upload}</UploadId>")
        else:
            self.seen.add("multipart")
            parts = self.uploads.pop(query["uploadId"])
            self.objects[key] = b"".join(parts[number] for number in sorted(parts))
            self.xml("CompleteMultipartUploadResult", f"<Key>{key}</Key><ETag>{tag(self.objects[key])}</ETag>")

    def do_DELETE(self):
        key, query = self.parse()
        self.uploads.pop(query.get("uploadId"), None) if "uploadId" in query else self.objects.pop(key, None)
        self.answer(204)

    def log_message(self, *arguments):
        """Quiet."""


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
'''
JOB = """
import server
from pyspark.sql import SparkSession, functions

builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
builder = builder.config("spark.hadoop.fs.s3a.endpoint", f"http://127.0.0.1:{server.serve()}")
builder = builder.config("spark.hadoop.fs.s3a.endpoint.region", "us-east-1")
builder = builder.config("spark.hadoop.fs.s3a.path.style.access", "true")
builder = builder.config("spark.hadoop.fs.s3a.multipart.size", "5M")
spark = builder.getOrCreate()
frame = spark.range(200_000, numPartitions=1).withColumn("text", functions.sha1(functions.col("id").cast("string")))
frame.write.parquet("s3a://bucket/table")
print("committer", '"committer":"magic"' in server.Bucket.objects["table/_SUCCESS"].decode().replace(" ", ""))

path = spark._jvm.org.apache.hadoop.fs.Path
files = path("s3a://bucket/").getFileSystem(spark._jsc.hadoopConfiguration())
files.rename(path("s3a://bucket/table"), path("s3a://bucket/renamed"))
rows = spark.read.parquet("s3a://bucket/renamed").selectExpr("count(distinct text)", "sum(id)").first()
print("rows", rows[0], rows[1])
print("seen", *sorted(server.Bucket.seen))
print("left", [key for key in server.Bucket.objects if not key.startswith("renamed/")], server.Bucket.uploads)
"""


@pytest.fixture(scope="module")
def job(run: Run) -> Completed:
    """One Python process with the server and Spark: a table is written, renamed and read back."""
    return run(
        "spark-submit",
        "--py-files",
        "/opt/spark/work-dir/server.py",
        "/opt/spark/work-dir/job.py",
        user="185:0",
        network="bridge",
        env={"AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "password"},
        files={"/opt/spark/work-dir/server.py": SERVER, "/opt/spark/work-dir/job.py": JOB},
    )


def test_rows_are_written_and_read_back(job: Completed) -> None:
    assert "rows 200000 19999900000" in job.output


def test_large_files_go_in_parts_and_renames_are_copies(job: Completed) -> None:
    assert "seen copy multipart" in job.output


def test_the_magic_committer_is_the_default_and_leaves_nothing_behind(job: Completed) -> None:
    assert "committer True" in job.output
    assert "left [] {}" in job.output


def test_the_connector_has_the_version_of_the_hadoop_client(host: Host, params: Mapping[str, str]) -> None:
    for artifact in ("hadoop-aws", "hadoop-client-api", "hadoop-client-runtime"):
        assert host.file(f"/opt/spark/jars/{artifact}-{params['hadoop']}.jar").is_file


def test_no_artifact_is_there_in_two_versions(host: Host) -> None:
    names = host.check_output("ls /opt/spark/jars").split()
    artifacts = Counter(VERSION.sub(r"\1\2", name) for name in names)
    assert [name for name, count in artifacts.items() if count > 1] == []
