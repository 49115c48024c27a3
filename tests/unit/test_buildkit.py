from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.buildkit import TRUST, BuildkitBuilder, blank
from buildgraph.adapters.process import Never
from buildgraph.adapters.truststore import make_truststore, read_certificates
from buildgraph.errors import BuildFailure
from tests.fakes.authority import make_authority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRET = "s3cret/value"
BUILDX = """\
import json, os, pathlib, sys
words = sys.argv[1:]
given = dict(os.environ)
secrets = {}
for word in words:
    fields = dict(part.split("=", 1) for part in word.split(",")) if word.startswith("id=") else {}
    if "src" in fields:
        secrets[fields["id"]] = pathlib.Path(fields["src"]).read_bytes().hex()
    elif "env" in fields:
        secrets[fields["id"]] = given[fields["env"]].encode().hex()
seen = pathlib.Path(SEEN)
seen.write_text(json.dumps({"words": words, "secrets": secrets}))
import base64
import json
print("plain:", given.get("BUILDGRAPH_VALUE_0", ""))
print("coded:", base64.b64encode(given.get("BUILDGRAPH_VALUE_0", "").encode()).decode())
if "--fail" in given.get("FLAGS", ""):
    print(f"ERROR: failed to solve: it said {given.get('BUILDGRAPH_VALUE_0')}")
    sys.exit(1)
"""


class Bench:
    """A builder whose buildx notes what it is given."""

    def __init__(self, folder: Path, *, ca: Path | None = None, **environ: str) -> None:
        script = folder / "buildx.py"
        script.write_text(f"SEEN = {str(folder / 'seen')!r}\n{BUILDX}")
        self.folder, self.log = folder, folder / "log"
        self.builder = BuildkitBuilder(buildx=["/usr/bin/env", "python3", str(script)], environ=environ, ca=ca)

    def build(
        self, *, network: bool = False, secrets: Mapping[str, str] | None = None
    ) -> tuple[list[str], dict[str, bytes]]:
        """The words and the secrets that buildx got."""
        self.builder.export(
            dockerfile=self.folder / "Dockerfile",
            context=self.folder,
            named={},
            args={},
            network=network,
            secrets=secrets or {},
            platform="linux/amd64",
            dest=self.folder / "out.tar",
            log=self.log,
            cancel=Never(),
        )
        seen = json.loads((self.folder / "seen").read_text())
        return seen["words"], {name: bytes.fromhex(value) for name, value in seen["secrets"].items()}


def test_a_step_with_network_is_offered_proxies_by_name_and_certificates(tmp_path: Path) -> None:
    ca = make_authority(tmp_path / "authority", "127.0.0.1").ca
    words, secrets = Bench(tmp_path, ca=ca, PATH="/usr/bin:/bin", HTTPS_PROXY="http://u:pw@proxy.example").build(
        network=True
    )
    assert words[words.index("--build-arg") + 1] == "HTTPS_PROXY"
    assert "pw@" not in " ".join(words)
    assert "--network" not in words
    pem = ca.read_bytes()
    java = make_truststore(read_certificates(pem.decode()))
    assert secrets == {"ca": pem, "ca-java": java, "ca-env": TRUST.encode()}
    assert not list(tmp_path.glob("tmp*")), "what was offered is gone"


def test_a_step_without_network_is_offered_nothing(tmp_path: Path) -> None:
    ca = make_authority(tmp_path / "authority", "127.0.0.1").ca
    words, secrets = Bench(tmp_path, ca=ca, PATH="/usr/bin:/bin", https_proxy="http://proxy.example").build()
    assert words[words.index("--network") + 1] == "none"
    assert secrets == {}
    assert "--build-arg" not in words


def test_without_certificates_the_lines_for_the_shell_are_there_and_empty(tmp_path: Path) -> None:
    _, secrets = Bench(tmp_path, PATH="/usr/bin:/bin").build(network=True)
    assert secrets == {"ca-env": b""}


def test_the_lines_for_the_shell_keep_javas_own_options() -> None:
    script = f'JAVA_TOOL_OPTIONS=-Xmx1g; {TRUST}\necho "$JAVA_TOOL_OPTIONS|$PIP_CERT"'
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)
    options, _, pip = done.stdout.strip().partition("|")
    assert options.startswith("-Xmx1g -Djavax.net.ssl.trustStore=/run/secrets/ca-java ")
    assert pip == "/run/secrets/ca"


def test_the_value_of_a_secret_reaches_buildx_by_its_environment_and_no_log(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PATH="/usr/bin:/bin")
    words, secrets = bench.build(secrets={"token": SECRET})
    assert secrets == {"token": SECRET.encode()}
    assert SECRET not in " ".join(words)
    assert bench.log.read_text() == "plain: ***\ncoded: ***\n"


def test_a_failure_is_told_without_the_value(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PATH="/usr/bin:/bin", FLAGS="--fail")
    with pytest.raises(BuildFailure, match=r"it said \*\*\*") as caught:
        bench.build(secrets={"token": SECRET})
    assert SECRET not in str(caught.value)
    assert SECRET not in bench.log.read_text()


def test_each_line_of_a_secret_is_blanked_in_every_usual_spelling() -> None:
    value = "first line\nse/cond\n"
    text = f"first line se/cond se%2Fcond {base64.b64encode(b'se/cond').decode()} second".encode()
    assert blank(text, [value]) == b"*** *** *** *** second"
    assert blank(b"nothing", [""]) == b"nothing"
