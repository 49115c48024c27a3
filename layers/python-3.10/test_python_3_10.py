"""Python 3.10: the interpreter, its compiled modules, pip, byte code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run

ANYBODY = "1000680000:0"
PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "greeting"
version = "1.0"
[tool.setuptools]
py-modules = ["greeting"]
"""
GREETING = {
    "/home/spark/greeting/pyproject.toml": PROJECT,
    "/home/spark/greeting/greeting.py": 'text = "hello from a wheel"\n',
}
# pip builds in the source tree, which the files' owner alone may write; so a copy is built.
BUILD = """
cp -r /home/spark/greeting /tmp/greeting
pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir /tmp/wheels /tmp/greeting
"""
HANDSHAKE = """
import socket, ssl, sys, threading
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("/tmp/server.crt", "/tmp/server.key")
listener = socket.create_server(("127.0.0.1", 0))

def answer():
    try:
        server.wrap_socket(listener.accept()[0], server_side=True).close()
    except ssl.SSLError:
        pass  # the client refused

threading.Thread(target=answer).start()
client = ssl.create_default_context(cafile=sys.argv[1] if len(sys.argv) > 1 else None)
try:
    with client.wrap_socket(socket.create_connection(listener.getsockname()), server_hostname="localhost") as peer:
        print(peer.version())
except ssl.SSLCertVerificationError as refused:
    print(refused.verify_message)
"""
CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    " -addext subjectAltName=DNS:localhost -keyout /tmp/server.key -out /tmp/server.crt 2>&1\n"
)


@pytest.mark.inherited
def test_python_is_version_3_10(run: Run) -> None:
    shown = run("python3", "-c", "import sys; print(*sys.version_info[:2], sys.executable)", entrypoint=())
    assert shown.output == "3 10 /opt/python/bin/python3"


@pytest.mark.parametrize(
    "name", ["bz2", "ctypes", "curses", "decimal", "hashlib", "lzma", "multiprocessing", "readline", "uuid", "zlib"]
)
def test_compiled_module_works(run: Run, name: str) -> None:
    assert run("python3", "-c", f"import {name}").code == 0


def test_sqlite_stores_and_finds(run: Run) -> None:
    program = """
import sqlite3
base = sqlite3.connect("/home/spark/base")
base.execute("create table t (a text)")
base.execute("insert into t values ('seen')")
print(base.execute("select a from t").fetchone()[0])
"""
    assert run("python3", "-c", program, user=ANYBODY).output == "seen"


def test_ctypes_calls_the_c_library(run: Run) -> None:
    program = "import ctypes; print(ctypes.CDLL('libc.so.6').strlen(b'four'))"
    assert run("python3", "-c", program).output == "4"


@pytest.mark.parametrize(("trusted", "result"), [("/tmp/server.crt", "TLSv1.3"), ("", "self-signed certificate")])
def test_tls_trusts_whom_it_is_told_to(run: Run, trusted: str, result: str) -> None:
    script = f"{CERTIFICATE} python3 /home/spark/handshake.py {trusted}"
    done = run("bash", "-euc", script, files={"/home/spark/handshake.py": HANDSHAKE})
    assert result in done.output.splitlines()[-1]


def test_tls_knows_the_certificate_authorities_of_the_system(run: Run) -> None:
    program = "import ssl; print(ssl.get_default_verify_paths().capath)"
    assert run("python3", "-c", program).output == "/etc/ssl/certs"


def test_pip_lists_just_what_belongs_to_this_layer(run: Run) -> None:
    listed = json.loads(run("pip", "list", "--format=json").output)
    assert {package["name"] for package in listed} == {"pip", "setuptools", "wheel"}


def test_what_is_installed_fits_together(run: Run) -> None:
    assert run("pip", "check").output == "No broken requirements found."


def test_root_builds_and_installs_a_wheel(run: Run) -> None:
    script = (
        f"{BUILD} pip install --quiet --no-index /tmp/wheels/*.whl; python3 -c 'import greeting; print(greeting.text)'"
    )
    assert run("bash", "-euc", script, files=GREETING).output == "hello from a wheel"


def test_any_user_of_group_0_builds_and_installs_a_wheel(run: Run) -> None:
    install = (
        "pip install --quiet --user --no-index /tmp/wheels/*.whl; python3 -c 'import greeting; print(greeting.text)'"
    )
    done = run("bash", "-euc", BUILD + install, files=GREETING, user=ANYBODY, env={"HOME": "/home/spark"})
    assert done.output == "hello from a wheel"


def test_the_environment_is_set(run: Run) -> None:
    program = "import os; print(*(os.environ[name] for name in ('PYTHONUNBUFFERED', 'PIP_NO_CACHE_DIR')))"
    assert run("python3", "-c", program).output == "1 1"


def test_modules_have_byte_code_that_is_not_checked_again(run: Run) -> None:
    program = """
import pathlib
root = pathlib.Path("/opt/python/lib/python3.10")
plain = [path for path in root.rglob("*.py")]
code = [path.parent / "__pycache__" / (path.stem + ".cpython-310.pyc") for path in plain]
print(len(plain), sum(path.exists() and path.read_bytes()[4:8] == bytes([1, 0, 0, 0]) for path in code))
"""
    total, compiled = map(int, run("python3", "-B", "-c", program).output.split())
    assert total > 500
    # compile.py leaves out the few modules whose byte code would not be the same each time.
    assert total - compiled <= 10


def test_byte_code_is_what_the_interpreter_loads(run: Run) -> None:
    program = "import json.decoder, sys; print(sys.modules['json.decoder'].__cached__)"
    done = run("python3", "-v", "-c", program)
    assert done.output == "/opt/python/lib/python3.10/json/__pycache__/decoder.cpython-310.pyc"
    assert f"# {done.output} matches /opt/python/lib/python3.10/json/decoder.py" in done.stderr


def test_users_cannot_change_it(host: Host) -> None:
    assert host.check_output("find /opt/python ! -type l -perm /022") == ""


def test_console_scripts_name_the_image_s_python(host: Host) -> None:
    assert host.check_output("head -n 1 /opt/python/bin/pip") == "#!/opt/python/bin/python3"
