"""Compiled PySpark: complete, made by the image's Python, used by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host

PYSPARK = "/opt/spark/python/pyspark"


def test_every_module_is_compiled(host: Host) -> None:
    modules = host.check_output(f"find {PYSPARK} -name '*.py' | wc -l")
    compiled = host.check_output(f"find {PYSPARK} -name '*.cpython-310.pyc' | wc -l")
    assert int(compiled) == int(modules) > 200


def test_nothing_but_bytecode_lies_in_the_caches(host: Host) -> None:
    assert host.check_output(f"find {PYSPARK} -path '*__pycache__/*' ! -name '*.pyc'") == ""


def test_sources_are_never_looked_at(host: Host) -> None:
    # The second word of a .pyc: 1 says that it is valid by hash, and that nobody checks it.
    word = host.check_output(f"od -A n -t u4 -j 4 -N 4 {PYSPARK}/__pycache__/__init__.cpython-310.pyc")
    assert word.strip() == "1"


def test_python_imports_the_compiled_modules(host: Host) -> None:
    said = host.run("python3 -v -c 'import pyspark.version'").stderr
    assert f"code object from '{PYSPARK}/__pycache__/version.cpython-310.pyc'" in said
    assert f"{PYSPARK}/__pycache__/version.cpython-310.pyc matches {PYSPARK}/version.py" in said


def test_directories_are_as_in_spark_core(host: Host) -> None:
    assert host.check_output(f"stat -c '%a %u:%g' {PYSPARK} $(find {PYSPARK} -name __pycache__) | sort -u") == "755 0:0"
