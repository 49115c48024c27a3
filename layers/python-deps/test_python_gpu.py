"""RAPIDS for Python: all of it imports and compiles without a GPU; what computes needs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

MODULES = (
    "cudf",
    "cuml",
    "cuml.dask",
    "cupy",
    "cupyx.scipy.sparse",
    "dask_cuda",
    "dask_cudf",
    "distributed_ucxx",
    "numba.cuda",
    "pylibcudf",
    "pylibraft",
    "raft_dask",
    "rmm",
    "treelite",
    "ucxx",
)
VERSIONS = """
import cudf, cuml, cupy
print(cudf.__version__, cuml.__version__, cupy.__version__, *cupy.cuda.nvrtc.getVersion())
"""
KERNEL = """
from numba import cuda, types

def double(numbers):
    place = cuda.grid(1)
    if place < numbers.size:
        numbers[place] *= 2

print(cuda.compile_ptx(double, types.void(types.float64[:]), cc=(7, 5))[0])
"""
# What cuDF does with a user-defined function, as far as that goes without a GPU: its device code is compiled for CUDA
# 12.9, and CuPy has brought cuSPARSE, which asks for a linker of its own, into the process.
LINK = """
import importlib.util, pathlib
import cupy, cupy_backends.cuda.libs.cusparse
from cuda.bindings import nvjitlink

code = pathlib.Path(importlib.util.find_spec("cudf").submodule_search_locations[0], "core/udf/shim.fatbin").read_bytes()
for options in (["-arch=sm_75"], ["-arch=sm_75", "-lto"], ["-arch=sm_90", "-lto"]):
    linker = nvjitlink.create(len(options), options)
    nvjitlink.add_data(linker, nvjitlink.InputType.FATBIN, code, len(code), "shim")
    nvjitlink.complete(linker)
    print(nvjitlink.get_linked_cubin_size(linker) > 1000)
"""
# What Numba hands to NVRTC, with the headers that it finds: reference counts behind cuDF's strings, and half floats.
# Numba itself would then ask the driver whether it can load the code.
COMPILE = """
import pathlib
import numba.cuda
from cuda.bindings import nvrtc
from numba.cuda.cuda_paths import get_cuda_paths

home, headers = pathlib.Path(numba.cuda.__file__).parent, pathlib.Path(get_cuda_paths()["include_dir"].info)
folders = (home / "include/12", headers, headers / "../../cuda_cccl/include", home / "memory_management")
half = "#include <cuda_fp16.h>\\n#include <cuda/atomic>\\n__device__ __half half_;"
for source in ((home / "memory_management/nrt.cu").read_text(), half):
    _, program = nvrtc.nvrtcCreateProgram(source.encode(), b"source.cu", 0, [], [])
    options = [b"--gpu-architecture=compute_75", b"-rdc", b"true", *(f"-I{folder}".encode() for folder in folders)]
    (status,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    log = bytes(nvrtc.nvrtcGetProgramLogSize(program)[1] + 1)  # written in place: one byte alone would be everybody's
    nvrtc.nvrtcGetProgramLog(program, log)
    print(status.name, log.rstrip(bytes(1)).decode())
"""
COMPUTE = """
import cudf, cupy, numpy
from cuml.linear_model import LinearRegression

frame = cudf.DataFrame({"key": [0, 1, 0, 1], "value": [1.0, 2.0, 3.0, 4.0], "word": ["a", "bb", "ccc", "dd"]})
print(frame.groupby("key")["value"].sum().sort_index().to_pandas().tolist())
print(frame["value"].apply(lambda value: value * 2).sum(), frame["word"].apply(lambda word: len(word)).sum())
points = cupy.arange(10.0).reshape(-1, 1)
print(round(float(LinearRegression().fit(points, 3 * points[:, 0] + 1).coef_[0]), 4))
"""


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_without_a_gpu(host: Host, module: str) -> None:
    host.run_expect([0], f"python3 -c 'import {module}'")


@pytest.mark.inherited
def test_the_packages_are_of_one_line_and_cupy_compiles_with_cuda_12_1(run: Run) -> None:
    assert run("python3", "-c", VERSIONS, entrypoint=()).output == "25.10.00 25.10.00 13.6.0 12 1"


def test_numba_compiles_a_kernel(run: Run) -> None:
    ptx = run("python3", "-c", KERNEL).output
    assert ".visible .entry" in ptx
    assert ".target sm_75" in ptx


@pytest.mark.inherited
def test_code_of_cudf_is_linked(run: Run) -> None:
    assert run("python3", "-c", LINK, entrypoint=()).output.split() == ["True"] * 3


def test_numba_finds_all_headers_for_its_own_sources(run: Run) -> None:
    assert run("python3", "-c", COMPILE).output.split() == ["NVRTC_SUCCESS"] * 2


def test_where_no_driver_is_the_answer_says_so(run: Run) -> None:
    done = run("python3", "-c", "import cudf; cudf.Series([1, 2])")
    assert done.code == 1
    assert (
        done.stderr.rstrip().splitlines()[-1].endswith("CUDA driver version is insufficient for CUDA runtime version")
    )


@pytest.mark.gpu
def test_frames_functions_and_models_run_on_the_gpu(run: Run) -> None:
    assert run("python3", "-c", COMPUTE, gpu=True).output.splitlines() == ["[4.0, 6.0]", "20.0 8", "3.0"]
