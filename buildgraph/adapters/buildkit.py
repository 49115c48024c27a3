"""Runs the steps of ``dockerfile`` layers with BuildKit and exports what the last stage holds as a plain tar."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from buildgraph.adapters import process
from buildgraph.adapters.dockerd import PROXIES
from buildgraph.adapters.truststore import make_truststore, read_certificates
from buildgraph.errors import BuildFailure
from buildgraph.model import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from buildgraph.ports import Cancel

VARIABLE = "BUILDGRAPH_VALUE_"
LAST_LINES = 200
FAILED_STEP = re.compile(r"^ > \[(?P<stage>[^]]*)\] (?P<command>.+):$")
STEP_OUTPUT = re.compile(r"^\d+\.\d+ (?P<text>.*\S)")
POSITION = re.compile(r"^(?P<file>\S+):(?P<line>\d+)$")
# What buildx says when the engine went away; a step's own words never begin a line like this.
LOST = re.compile(r"^ERROR: .*(code = Unavailable|Cannot connect to the Docker daemon|error reading from server)")
_SHORTEST_LINE = 4  # shorter ones, as of a JSON document, are everywhere
REASON = re.compile(r"^ERROR: (?:failed to build: )?(?:failed to solve: )?(?P<text>.+)$")


# Where a step finds the certificates that it mounts, for all that reads such variables.
TRUST = """\
export SSL_CERT_FILE=/run/secrets/ca CURL_CA_BUNDLE=/run/secrets/ca REQUESTS_CA_BUNDLE=/run/secrets/ca \\
  PIP_CERT=/run/secrets/ca NODE_EXTRA_CA_CERTS=/run/secrets/ca GIT_SSL_CAINFO=/run/secrets/ca
export JAVA_TOOL_OPTIONS="${JAVA_TOOL_OPTIONS:-} -Djavax.net.ssl.trustStore=/run/secrets/ca-java \
-Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword=changeit"
"""


class BuildkitBuilder:
    """``docker buildx build`` with inputs from this machine only: named contexts, arguments, secrets."""

    def __init__(self, *, buildx: Sequence[str], environ: Mapping[str, str], ca: Path | None) -> None:
        """``buildx``: the words that run it; ``environ`` leads to the engine; ``ca``: the machine's certificates."""
        self._buildx = tuple(buildx)
        self._environ = {**environ, "NO_COLOR": "1"}
        self._ca = ca

    def export(
        self,
        *,
        dockerfile: Path,
        context: Path,
        named: Mapping[str, str],
        args: Mapping[str, str],
        network: bool,
        secrets: Mapping[str, str] = EMPTY,
        platform: str,
        dest: Path,
        log: Path,
        cancel: Cancel,
    ) -> None:
        """Write the files of the last stage to ``dest``, a tar.

        ``named`` maps context names to directories or ``oci-layout://`` addresses. Steps have no network unless
        ``network``; then the machine's proxies hold for them, and its certificates are offered as the secrets ``ca``
        (PEM), ``ca-java`` (JKS) and ``ca-env`` (shell lines that name the two). ``secrets``: the values that
        steps may mount, by name. The output of the steps goes to ``log``, without the values of secrets. Raises
        ``BuildFailure`` with the failing line, ``Interrupted``; ``dest`` is then not there.
        """
        argv = [*self._buildx, "build", *_fixed_words(platform), "--file", str(dockerfile)]
        argv += ["--output", f"type=tar,{_field(f'dest={dest}')}"]
        for name, place in sorted(named.items()):
            argv += ["--build-context", f"{name}={place}"]
        for name, value in sorted(args.items()):
            argv += ["--build-arg", f"{name}={value}"]
        values = {}
        for number, (name, value) in enumerate(sorted(secrets.items())):
            values[f"{VARIABLE}{number}"] = value
            argv += ["--secret", f"id={name},env={VARIABLE}{number}"]
        done = False
        try:
            with TemporaryDirectory(dir=dest.parent) as folder:
                argv += self._offer_trust(Path(folder)) if network else ["--network", "none"]
                argv.append(str(context))
                code = self._run(argv, values, log=log, aside=Path(folder), cancel=cancel)
                if code and any(LOST.match(line) for line in process.tail(log, LAST_LINES)):
                    code = self._run(argv, values, log=log, aside=Path(folder), cancel=cancel)
            if code:
                raise read_failure(process.tail(log, LAST_LINES), dockerfile=dockerfile, log=log)
            done = True
        finally:
            if not done:
                dest.unlink(missing_ok=True)

    def _run(self, argv: Sequence[str], values: Mapping[str, str], *, log: Path, aside: Path, cancel: Cancel) -> int:
        if values:
            return _run_hidden(argv, values, log=log, aside=aside, cancel=cancel, env=self._environ)
        return process.run(argv, log=log, cancel=cancel, env=self._environ)

    def _offer_trust(self, folder: Path) -> list[str]:
        """What a step with network gets to know: proxies (by name: their addresses may hold passwords), certificates.

        BuildKit keeps proxies and secrets out of images, and our keys do not know them.
        """
        argv = [word for name in PROXIES if name in self._environ for word in ("--build-arg", name)]
        offered = {"ca-env": b""}
        if self._ca:
            pem = self._ca.read_bytes()
            java = make_truststore(read_certificates(pem.decode("utf-8", errors="replace")))
            offered = {"ca": pem, "ca-java": java, "ca-env": TRUST.encode()}
        for name, data in offered.items():
            (folder / name).write_bytes(data)
            argv += ["--secret", f"id={name},{_field(f'src={folder / name}')}"]
        return argv


def _fixed_words(platform: str) -> tuple[str, ...]:
    # Our keys decide what is built; what is built is really run, whatever BuildKit remembers of another day.
    return ("--no-cache", "--progress", "plain", "--provenance=false", "--platform", platform)


def _field(text: str) -> str:
    """One field of the comma-separated values that buildx reads, whatever path is in it."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _run_hidden(
    argv: Sequence[str], values: Mapping[str, str], *, log: Path, aside: Path, cancel: Cancel, env: Mapping[str, str]
) -> int:
    """Run with ``values`` added to ``env``; the log gets the output at the end, without them. ``aside``: a folder."""
    raw = aside / "log"
    raw.touch(mode=0o600)
    try:
        return process.run(argv, log=raw, cancel=cancel, env={**env, **values})
    finally:
        with log.open("ab") as file:
            file.write(blank(raw.read_bytes(), values.values()))
        raw.unlink()


def blank(text: bytes, values: Iterable[str]) -> bytes:
    """The text without these values, also where they stand in base64 or in an address."""
    lines = {line.strip() for value in values for line in value.splitlines() if len(line) >= _SHORTEST_LINE}
    forms = {form for value in {*values, *lines} for form in _spellings(value.strip())}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, b"***")
    return text


def _spellings(value: str) -> tuple[bytes, ...]:
    data = value.encode("utf-8", errors="surrogateescape")
    return (data, base64.b64encode(data), quote(value, safe="").encode()) if value else ()


def read_failure(lines: Sequence[str], *, dockerfile: Path, log: Path) -> BuildFailure:
    """What BuildKit's last lines say: the command and its last words, at its line of the Dockerfile."""
    command, words, position, reason = "", "", "", "buildx gave no reason"
    for line in lines:
        if match := FAILED_STEP.match(line):
            command, words = match["command"], ""
        elif command and (match := STEP_OUTPUT.match(line)):
            words = match["text"]
        elif match := POSITION.match(line):
            position = match["line"]
        elif match := REASON.match(line):
            reason = match["text"]
    where = f"{dockerfile}:{position}" if position else str(dockerfile)
    what = f"{command} failed: {words or reason}" if command else reason
    return BuildFailure(what, where=where, log=str(log))
