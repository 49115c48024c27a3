"""kubectl, in one namespace of one cluster."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# What an object holds is known only by its schema.
Object: TypeAlias = Mapping[str, Any]

SECONDS = 120.0
_TAIL = 3000


class CommandError(AssertionError):
    """A command ended badly; what it said."""

    def __init__(self, argv: Sequence[str], code: int | None, said: str) -> None:
        ended = "did not end in time" if code is None else f"ended with {code}"
        super().__init__(f"{shlex.join(argv)[:300]} {ended}: {said[-_TAIL:].strip()}")
        self.code = code
        self.said = said


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A command that runs beside the test."""

    argv: tuple[str, ...]
    child: subprocess.Popen[str]

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self.child.poll() is not None

    def wait(self, seconds: float) -> str:
        """What it printed; ``CommandError`` when it ended badly or not in time."""
        try:
            out, err = self.child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            self.stop()
            raise CommandError(self.argv, None, str(error)) from error
        if self.child.returncode:
            raise CommandError(self.argv, self.child.returncode, out + err)
        return out

    def stop(self) -> None:
        """End it, if it still runs."""
        if not self.has_ended:
            self.child.kill()
        self.child.communicate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """The program, the cluster and the namespace."""

    program: tuple[str, ...]
    kubeconfig: Path
    namespace: str = "default"

    def into(self, namespace: str) -> Kubectl:
        """The same in another namespace."""
        return replace(self, namespace=namespace)

    @property
    def environ(self) -> dict[str, str]:
        """For programs that speak to the cluster by themselves."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}

    def run(self, *args: str, text: str = "", seconds: float = SECONDS) -> str:
        """What a command prints; ``CommandError`` when it ends badly."""
        argv = self._argv(args)
        try:
            done = subprocess.run(
                argv, env=self.environ, input=text, capture_output=True, text=True, check=False, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(argv, None, str(error)) from error
        if done.returncode:
            raise CommandError(argv, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def start(self, *args: str, text: str = "") -> Running:
        """Start a command, with its standard input."""
        argv = self._argv(args)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as stdin:
            stdin.write(text)
            stdin.seek(0)
            child = subprocess.Popen(
                argv, env=self.environ, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        return Running(argv=argv, child=child)

    def get(self, *args: str) -> Any:
        """The objects that are asked for."""
        return json.loads(self.run("get", *args, "--output", "json"))

    def list(self, kind: str, labels: Mapping[str, str] | None = None) -> list[Object]:
        """The objects of a kind, those with the labels."""
        selector = ",".join(f"{key}={value}" for key, value in (labels or {}).items())
        found: list[Object] = self.get(kind, "--selector", selector)["items"]
        return found

    def apply(self, *objects: Object) -> None:
        """Make the objects, or make them so."""
        for each in objects:
            self.run("apply", "--filename", "-", text=json.dumps(each))

    def exec(self, pod: str, *argv: str, text: str = "", container: str = "", seconds: float = SECONDS) -> str:
        """What a program in a pod prints."""
        return self.run(*self._exec(pod, argv, container, text), text=text, seconds=seconds)

    def start_exec(self, pod: str, *argv: str, text: str = "", container: str = "") -> Running:
        """Start a program in a pod."""
        return self.start(*self._exec(pod, argv, container, text), text=text)

    @staticmethod
    def _exec(pod: str, argv: Sequence[str], container: str, text: str) -> tuple[str, ...]:
        stdin = ("--stdin",) if text else ()
        where = ("--container", container) if container else ()
        return ("exec", *stdin, *where, pod, "--", *argv)

    def _argv(self, args: Sequence[str]) -> tuple[str, ...]:
        return (*self.program, "--namespace", self.namespace, *args)
