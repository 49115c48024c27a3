"""CUDA: the libraries load without a GPU, agree on their version and compile a kernel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

LIBRARIES = [
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcudart.so.12",
    "libcufft.so.11",
    "libcufftw.so.11",
    "libcupti.so.12",
    "libcurand.so.10",
    "libcusolver.so.11",
    "libcusolverMg.so.11",
    "libcusparse.so.12",
    "libnvJitLink.so.12",
    "libnvToolsExt.so.1",
    "libnvblas.so.12",
    "libnvrtc.so.12",
]
RUNTIME_VERSION = """
import ctypes
version = ctypes.c_int()
status = ctypes.CDLL("libcudart.so.12").cudaRuntimeGetVersion(ctypes.byref(version))
print(status, version.value)
"""
COMPILE = """
import ctypes, sys
nvrtc = ctypes.CDLL("libnvrtc.so.12")
program, size = ctypes.c_void_p(), ctypes.c_size_t()

def check(status):
    if status:
        nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetProgramLog(program, log)
        sys.exit(f"nvrtc status {status}: {log.value.decode()}")

source = b'''
#include <cuda_fp16.h>
extern "C" __global__ void add(const float *a, const __half *b, float *sum, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) sum[i] = a[i] + __half2float(b[i]);
}
'''
check(nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"add.cu", 0, None, None))
options = (ctypes.c_char_p * 2)(b"--gpu-architecture=compute_70", b"--include-path=/usr/local/cuda/include")
check(nvrtc.nvrtcCompileProgram(program, len(options), options))
check(nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size)))
ptx = ctypes.create_string_buffer(size.value)
check(nvrtc.nvrtcGetPTX(program, ptx))
print(ptx.value.decode())
"""
# Two vectors on the GPU, added there by cuBLAS: proves that driver and libraries fit.
ADD_ON_GPU = """
import ctypes
cudart, cublas = ctypes.CDLL("libcudart.so.12"), ctypes.CDLL("libcublas.so.12")

def check(status):
    assert status == 0, status

values = (ctypes.c_float * 4)(1, 2, 3, 4)
size = ctypes.c_size_t(ctypes.sizeof(values))
device, handle, one = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_float(1)
check(cudart.cudaMalloc(ctypes.byref(device), size))
check(cudart.cudaMemcpy(device, values, size, 1))
check(cublas.cublasCreate_v2(ctypes.byref(handle)))
check(cublas.cublasSaxpy_v2(handle, 4, ctypes.byref(one), device, 1, device, 1))
check(cudart.cudaMemcpy(values, device, size, 2))
print(*values)
"""


@pytest.mark.inherited
def test_the_runtime_loads_and_is_12_1(run: Run) -> None:
    assert run("python3", "-c", RUNTIME_VERSION, entrypoint=()).output == "0 12010"


@pytest.mark.parametrize("name", LIBRARIES)
def test_library_loads_with_all_its_symbols(run: Run, name: str) -> None:
    program = f"import ctypes, os; ctypes.CDLL({name!r}, os.RTLD_NOW)"
    assert run("python3", "-c", program).output == ""


def test_every_library_finds_its_dependencies(run: Run) -> None:
    script = "for f in /usr/local/cuda/lib64/*.so*; do ldd $f; done | grep 'not found' | sort -u"
    assert run("sh", "-c", script).stdout == ""


def test_nvrtc_compiles_a_kernel_to_ptx(run: Run) -> None:
    ptx = run("python3", "-c", COMPILE).output
    assert ".visible .entry add(" in ptx
    assert ".target sm_70" in ptx


def test_cuda_is_found_under_its_usual_names(host: Host) -> None:
    assert host.file("/usr/local/cuda").linked_to == "/usr/local/cuda-12.1"
    assert host.file("/usr/local/cuda/lib64/libcudart.so.12").exists
    assert host.file("/usr/local/cuda/include/cuda_runtime.h").exists


def test_version_json_says_what_is_installed(host: Host) -> None:
    versions = json.loads(host.file("/usr/local/cuda/version.json").content_string)
    assert versions["cuda"]["version"] == "12.1.1"
    assert len(versions) == 11


def test_the_container_toolkit_is_told_what_to_mount(run: Run) -> None:
    shown = run("sh", "-c", 'echo "$NVIDIA_VISIBLE_DEVICES $NVIDIA_DRIVER_CAPABILITIES $CUDA_HOME"').output
    assert shown == "all compute,utility /usr/local/cuda"


def test_every_library_comes_with_its_licence(host: Host) -> None:
    licences = host.check_output("find /usr/local/cuda-12.1/licenses -name License.txt -size +10k").split()
    assert len(licences) == 10


def test_directories_of_the_system_keep_their_modes(host: Host) -> None:
    assert host.check_output("stat -c '%a %U %G' /usr /usr/local").splitlines() == ["755 root root"] * 2


def test_nothing_of_the_python_wheels_is_left(host: Host) -> None:
    assert host.check_output("find /usr/local/cuda-12.1 -name '*.py' -o -name '*.dist-info'") == ""


@pytest.mark.gpu
def test_the_driver_sees_the_gpu(run: Run) -> None:
    assert run("nvidia-smi", "--list-gpus", gpu=True).output.startswith("GPU 0")


@pytest.mark.gpu
def test_cublas_adds_on_the_gpu(run: Run) -> None:
    assert run("python3", "-c", ADD_ON_GPU, gpu=True).output == "2.0 4.0 6.0 8.0"
