"""Fault 35: text that would be a command, an option or a template somewhere else stays what it is, or is refused."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from buildgraph.adapters.process import Never
from buildgraph.app.planning import plan_targets
from buildgraph.plan import Wishes
from tests.fakes.buildxscript import Buildx
from tests.fakes.probing import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sample import Sample

CANARY = "canary-of-the-injection-tests"
PAYLOADS = {
    "substitution": f"$(touch {CANARY})",
    "backticks": f"`touch {CANARY}`",
    "quote": f"'; touch {CANARY}; '",
    "double_quote": f'"; touch {CANARY}; "',
    "pipe": f"| touch {CANARY}",
    "template": "{{7*7}}",
    "template_block": "{% for x in y %}z{% endfor %}",
    "format": "%s%n{0}{x}",
    "variable": "${HOME} $HOME",
    "new_step": f"x\nRUN touch {CANARY}",
    "option": "--privileged",
    "short_option": "-rf",
    "at": "@/etc/passwd",
    "yaml": "x: !!python/object/apply:os.system ['id']",
    "comma": "a,type=image,push=true",
}
each_payload = pytest.mark.parametrize("payload", [pytest.param(text, id=name) for name, text in PAYLOADS.items()])
some_payloads = pytest.mark.parametrize(
    "payload", [pytest.param(PAYLOADS[name], id=name) for name in ("substitution", "template", "option", "new_step")]
)


def read_config(sample: Sample, image: str) -> dict[str, Any]:
    """The config that the built image would run with."""
    session = sample.session()
    record = plan_targets(session, [image], wishes=Wishes(test=False, load=False)).records[image]
    with session.store.open_blob(record.config_digest) as blob:
        document: dict[str, Any] = json.loads(blob.read())["config"]
    return document


def has_canary(sample: Sample) -> bool:
    return any(CANARY in path.name for path in sample.folder.parent.rglob("*"))


@each_payload
def test_fault_35_a_parameter_reaches_the_image_as_it_is(
    sample: Sample, payload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample.folder)
    text = json.dumps(payload)
    sample.edit("manifests/images/app.yaml", '"1": {version: "1"}', f'"1": {{version: "1", evil: {text}}}')
    config = 'env: {EVIL: "{{ evil }}"}, labels: {evil: "{{ evil }}"}, cmd: ["{{ evil }}"]'
    sample.edit("manifests/images/app.yaml", "cmd: [/opt/tool.sh]", config)
    done = sample.call("build", "app-1", "--no-test", "--no-load", "--progress", "quiet")
    assert "Traceback" not in done.err
    assert not has_canary(sample)
    if done.code:  # a line of its own is nothing that an environment can hold everywhere
        assert (done.code, "manifests/images/app.yaml" in done.err) == (2, True), done.err
        return
    found = read_config(sample, "app-1")
    assert f"EVIL={payload}" in found["Env"]
    assert found["Labels"]["evil"] == payload
    assert found["Cmd"] == [payload]


PLACES = {
    "repository": ("manifests/images/app.yaml", "repository: sample/app", "repository: PAYLOAD"),
    "tag": ("manifests/images/app.yaml", 'tags: ["{{ version }}"]', "tags: [PAYLOAD]"),
    "alias": ("manifests/images/app.yaml", "aliases: {app: ", "aliases: {PAYLOAD: "),
    "variant": ("manifests/images/app.yaml", '  "1": {version: "1"}', '  PAYLOAD: {version: "1"}'),
    "image_name": ("manifests/images/app.yaml", "image: app", "image: PAYLOAD"),
    "layer_reference": ("manifests/images/app.yaml", "layers: [base, tool]", "layers: [base, PAYLOAD]"),
    "layer_name": ("manifests/layers/tool.yaml", "layer: tool", "layer: PAYLOAD"),
    "env_name": ("manifests/layers/base.yaml", 'env: {BASE: "1"}', 'env: {PAYLOAD: "1"}'),
    "user": ("manifests/images/app.yaml", 'user: "185:0"', "user: PAYLOAD"),
    "platform": ("manifests/project.yaml", "platform: linux/amd64", "platform: PAYLOAD"),
    "registry": ("manifests/project.yaml", "registry: registry.example", "registry: PAYLOAD"),
    "group": ("manifests/project.yaml", '  apps: ["app-*"]', "  apps: [PAYLOAD]"),
    "copy": ("manifests/layers/tool.yaml", "copy: tool.sh", "copy: PAYLOAD"),
    "target": ("manifests/layers/tool.yaml", "to: /opt/tool.sh", "to: PAYLOAD"),
    "mode": ("manifests/layers/base.yaml", 'mode: "0775"', "mode: PAYLOAD"),
    "test_on": ("manifests/layers/tool.yaml", "test_on: [base]", "test_on: [PAYLOAD]"),
    "test_with": ("manifests/layers/tool.yaml", "test_on: [base]", "test_with: [PAYLOAD]"),
    "chart_file": ("manifests/pins.yaml", "file: charts/app/values.yaml", "file: PAYLOAD"),
    "chart_path": ("manifests/pins.yaml", "path: image", "path: PAYLOAD"),
    "pinned_image": ("manifests/pins.yaml", "image: app", "image: PAYLOAD"),
}
LITERAL = {"copy", "chart_path"}
"""Where some payloads are the name of a file or a key: nothing is there under it."""
DOCKERFILE_LAYER = """\
layer: made
kind: dockerfile
stage: intermediate
description: Made by steps
args: {PAYLOAD: "1"}
"""


@some_payloads
@pytest.mark.parametrize("place", PLACES)
def test_fault_35_a_name_that_is_none_is_refused_and_never_run(
    sample: Sample, payload: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample.folder)
    file, old, new = PLACES[place]
    sample.edit(file, old, new.replace("PAYLOAD", json.dumps(payload)))
    done = sample.call("build", "app", "--no-test", "--no-load", "--progress", "quiet")
    assert "Traceback" not in done.err
    assert not has_canary(sample)
    if place not in LITERAL:
        assert (done.code, file in done.err) == (2, True), done.err


@each_payload
def test_fault_35_an_argument_whose_name_is_none_is_refused(sample: Sample, payload: str) -> None:
    sample.write("manifests/layers/made.yaml", DOCKERFILE_LAYER.replace("PAYLOAD", json.dumps(payload)))
    sample.write("layers/made/Dockerfile", "FROM scratch\n")
    done = sample.call("plan", "made")
    assert (done.code, "manifests/layers/made.yaml" in done.err) == (2, True), done.err


@each_payload
def test_fault_35_build_arguments_are_single_words_behind_their_option(tmp_path: Path, payload: str) -> None:
    buildx = Buildx(tmp_path)
    if "\n" not in payload:
        buildx.export(args={"EVIL": payload, payload: "x"}, named={"parent": payload})
        (words,) = buildx.calls()
        assert words[words.index(f"EVIL={payload}") - 1] == "--build-arg"
        assert words[words.index(f"{payload}=x") - 1] == "--build-arg"
        assert words[words.index(f"parent={payload}") - 1] == "--build-context"
        assert words[-1] == str(tmp_path)
    assert not (tmp_path / CANARY).exists()


def test_fault_35_a_comma_in_a_path_is_no_further_setting_of_an_output(tmp_path: Path) -> None:
    folder = tmp_path / 'a,type=image,push=true"'
    folder.mkdir()
    buildx = Buildx(folder)
    buildx.export(args={}, named={})
    (words,) = buildx.calls()
    (fields,) = csv.reader([words[words.index("--output") + 1]])
    assert fields == ["type=tar", f"dest={folder}/layer.tar"]


@some_payloads
def test_fault_35_parameters_reach_the_tests_as_they_are(tmp_path: Path, payload: str) -> None:
    project = make_project(tmp_path)
    (tmp_path / "payload").write_text(payload)
    name = project.write(
        f"test_{'$(touch ' + CANARY + ')'}.py",
        "import pathlib\n\ndef test_it(params):\n    assert params['evil'] == pathlib.Path('payload').read_text()\n",
    )
    counts = project.probe.run(
        "demo-1",
        reference="demo:1",
        services={},
        tests=(name,),
        inherited=(),
        params={"evil": payload},
        log=project.log,
        cancel=Never(),
    )
    assert counts.failures == ()
    assert not list(tmp_path.glob(f"**/{CANARY}"))
