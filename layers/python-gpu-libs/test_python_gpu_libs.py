"""The native libraries of RAPIDS and CuPy: whole with those of CUDA 12.1, and each the one that is meant."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

SITE = "/opt/python/lib/python3.10/site-packages"
# As their loaders put them into a process: RAPIDS libraries do not find each other by themselves.
LIBRARIES = {
    "librmm/lib64/librmm.so": "librmm",
    "libkvikio/lib64/libkvikio.so": "libkvikio",
    "libcudf/lib64/libcudf.so": "libcudf",
    "libraft/lib64/libraft.so": "libraft",
    "libcuml/lib64/libcuml++.so": "libcuml",
    "libucxx/lib64/libucxx.so": "libucxx",
}
BESIDE = ":".join(f"{SITE}/{name.rpartition('/')[0]}" for name in (*LIBRARIES, "rapids_logger/lib64/x", "libucx/lib/x"))
CUPY = ("cublas", "curand", "cusolver", "cusparse", "nccl", "nvrtc", "nvtx")
SHARED = {
    "nvidia-cublas-cu12": "libcublas",
    "nvidia-cuda-nvrtc-cu12": "cuda_nvrtc",
    "nvidia-cuda-runtime-cu12": "cuda_cudart",
    "nvidia-cufft-cu12": "libcufft",
    "nvidia-curand-cu12": "libcurand",
    "nvidia-cusolver-cu12": "libcusolver",
    "nvidia-cusparse-cu12": "libcusparse",
}
MAPPED = """
import libcuml, re
libcuml.load_library()
libraries = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
for name in ("cublas", "cublasLt", "cufft", "curand", "cusolver", "cusparse", "nvJitLink", "nccl"):
    print(name, *sorted(path for path in libraries if re.search(rf"/lib{name}\\.so", path)))
"""
LINKER = """
import ctypes
ctypes.CDLL("libcusparse.so.12")
from cuda.bindings import nvjitlink
print(nvjitlink.version())
"""


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_finds_all_its_symbols(run: Run, library: str) -> None:
    script = f'LD_LIBRARY_PATH="$LD_LIBRARY_PATH:{BESIDE}" ldd -r {SITE}/{library}'
    shown = run("sh", "-c", script)
    assert shown.code == 0
    assert "not found" not in shown.stdout + shown.stderr
    assert "undefined symbol" not in shown.stdout + shown.stderr


@pytest.mark.parametrize("module", LIBRARIES.values())
def test_a_library_loads_as_python_loads_it(run: Run, module: str) -> None:
    assert run("python3", "-c", f"import {module}; {module}.load_library(); print('loaded')").output == "loaded"


@pytest.mark.parametrize("name", CUPY)
def test_the_libraries_that_cupy_calls_are_there(run: Run, name: str) -> None:
    script = (
        f'LD_LIBRARY_PATH="$LD_LIBRARY_PATH:{SITE}/nvidia/nccl/lib" ldd -r {SITE}/cupy_backends/cuda/libs/{name}.*.so'
    )
    shown = run("sh", "-c", script)
    missing = [
        line for line in (shown.stdout + shown.stderr).splitlines() if re.search("not found|undefined symbol", line)
    ]
    assert [line for line in missing if not re.search("undefined symbol: _?Py", line)] == [], (
        "Python's own are its caller's"
    )


@pytest.mark.inherited
def test_mathematics_come_from_cuda_12_1_and_the_rest_from_the_wheels(run: Run) -> None:
    places = {
        name: path.removesuffix(path.rpartition("/")[2])
        for name, path in (line.split() for line in run("python3", "-c", MAPPED, entrypoint=()).output.splitlines())
    }
    cuda = dict.fromkeys(("cublas", "cublasLt", "cufft", "curand", "cusolver", "cusparse"), "/usr/local/cuda-12.1/lib/")
    assert places == {**cuda, "nvJitLink": f"{SITE}/nvidia/nvjitlink/lib/", "nccl": f"{SITE}/nvidia/nccl/lib/"}


@pytest.mark.inherited
def test_no_other_linker_takes_the_place_of_the_one_that_cudf_needs(run: Run) -> None:
    assert run("python3", "-c", LINKER, entrypoint=()).output == "(12, 9)"


def test_cuda_12_1_holds_the_versions_that_the_toolkit_asks_for(host: Host) -> None:
    versions = json.loads(host.file("/usr/local/cuda/version.json").content_string)
    asked = host.check_output(
        'python3 -c \'import importlib.metadata as m; print(*m.requires("cuda-toolkit"), sep="\\n")\''
    )
    wanted = dict(re.findall(r"^([\w-]+)==([\d.]+?)\.\*", asked, re.MULTILINE))
    assert {name: wanted[name] for name in SHARED} == {name: versions[key]["version"] for name, key in SHARED.items()}


def test_nothing_is_there_that_only_compilers_read(host: Host) -> None:
    assert host.check_output(f"find {SITE} -name '*.a' -path '*lib*' -not -path '*/numpy/*'") == ""
