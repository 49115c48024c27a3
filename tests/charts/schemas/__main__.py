"""Writes the schemas of other projects' kinds anew; needs Go and its module proxy, and some minutes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.charts.gates.schemas import OF_OTHERS, file_name
from tests.charts.schemas import KINDS, strict_schemas

GATEWAY = "sigs.k8s.io/gateway-api@v1.6.3"
PROMETHEUS = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring@v0.95.2"
GENERATOR = "sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0"


def main() -> int:
    """Fetch both modules, and write a file for each kind."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "go.mod").write_text("module schemas\n", encoding="utf-8")
        gateway = _module(GATEWAY, scratch) / "config/crd/standard"
        prometheus = scratch / "monitoring"
        shutil.copytree(_module(PROMETHEUS, scratch), prometheus, copy_function=shutil.copyfile)
        argv = ["go", "run", GENERATOR, "crd:maxDescLen=0", "paths=./v1", f"output:crd:dir={scratch / 'generated'}"]
        subprocess.run(argv, cwd=prometheus, check=True)
        for folder, source in ((gateway, GATEWAY), (scratch / "generated", PROMETHEUS)):
            write_schemas(folder, source)
    return 0


def write_schemas(folder: Path, source: str) -> None:
    """Write the schema of each kind that a folder of definitions has and charts may use."""
    for file in sorted(folder.glob("*.yaml")):
        for definition in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if definition["kind"] == "CustomResourceDefinition" and definition["spec"]["names"]["kind"] in KINDS:
                for api_version, kind, schema in strict_schemas(definition, source):
                    text = json.dumps(schema, separators=(",", ":")) + "\n"
                    (OF_OTHERS / file_name(api_version, kind)).write_text(text, encoding="utf-8")


def _module(name: str, scratch: Path) -> Path:
    argv = ["go", "mod", "download", "-json", name]
    answer = subprocess.run(argv, cwd=scratch, capture_output=True, text=True, check=True).stdout
    return Path(json.loads(answer)["Dir"])


if __name__ == "__main__":
    sys.exit(main())
