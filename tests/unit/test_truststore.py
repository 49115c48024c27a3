from __future__ import annotations

import hashlib
import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.truststore import PASSWORD, make_truststore, read_certificates
from buildgraph.errors import EnvironmentFault
from tests.fakes.authority import make_authority

if TYPE_CHECKING:
    from pathlib import Path


def test_a_bundle_becomes_a_store_of_the_same_bytes_each_time(tmp_path: Path) -> None:
    pem = make_authority(tmp_path, "127.0.0.1").ca.read_text()
    certificates = read_certificates(f"# a comment\n{pem}\n{pem}")
    assert certificates == (ssl.PEM_cert_to_DER_cert(pem),)
    store = make_truststore(certificates)
    assert store == make_truststore(certificates)
    assert store[:12] == bytes.fromhex("feedfeed0000000200000001")
    assert certificates[0] in store
    guarded = PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + store[:-20]
    assert store[-20:] == hashlib.sha1(guarded).digest()


def test_java_reads_it(tmp_path: Path) -> None:
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("this machine has no keytool")
    authority = make_authority(tmp_path, "127.0.0.1")
    path = tmp_path / "store"
    path.write_bytes(make_truststore(read_certificates(authority.ca.read_text())))
    words = ["-list", "-v", "-keystore", str(path), "-storepass", PASSWORD]
    listed = subprocess.run([keytool, *words], capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stdout
    assert "Your keystore contains 1 entry" in listed.stdout
    assert "CN=Buildgraph Test Authority" in listed.stdout


def test_what_is_no_certificate_is_refused_and_an_empty_bundle_is_an_empty_store() -> None:
    with pytest.raises(EnvironmentFault, match="not base64"):
        read_certificates("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n")
    assert len(make_truststore(read_certificates(""))) == 12 + 20
