"""The list of what an image is made of, and which engine builds it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest

from makima.bill_of_materials import FILE, sbom
from makima.sandbox.folders import SandboxError
from makima.sandbox.image.distributions import required_distributions
from makima.sandbox.image.engines import Wanted, commands, engine, make_image

ROOT = Path(__file__).parents[4]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_every_distribution_is_named_once_with_its_version() -> None:
    found = required_distributions("makima-operator")
    document = json.loads(sbom("image", [*found.values(), *found.values()], [Path("/lib/libc.so.6")]))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    versions = {part["name"]: part.get("version") for part in document["components"]}
    assert len(versions) == len(document["components"]) == len(found) + 2
    assert versions["kopf"] == distribution("kopf").version
    assert "libc.so.6" in versions


def test_the_same_parts_give_the_same_bytes() -> None:
    parts = list(distributions())
    assert sbom("image", parts) == sbom("image", reversed(parts))


def test_it_runs_where_only_makima_is_installed() -> None:
    """In the image there is nothing of the extra `sandbox`."""
    code = "import sys, runpy; sys.modules['cryptography'] = sys.modules['packaging'] = None\n"
    code += "runpy.run_module('makima.bill_of_materials', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout)["components"]


@pytest.mark.parametrize(
    ("working", "chosen"),
    [
        ({"docker", "podman"}, "docker"),
        ({"podman", "buildah"}, "podman"),
        ({"buildah"}, "buildah"),
        (set(), None),
    ],
)
def test_the_first_engine_that_answers_builds(working: set[str], chosen: str | None) -> None:
    assert engine(lambda command: command[0] in working) == chosen


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_an_engine_builds_the_dockerfile_and_gives_out_the_list_and_the_archive(name: str) -> None:
    image, archive, sbom = "localhost/makima-operator:1", Path("dist/image.tar"), Path("dist/sbom.json")
    wanted = Wanted(options=("--network=host",), build_arguments=("BASE=python:3.13",))
    todo = commands(name, image, archive, sbom, wanted)
    assert todo.build[:5] == [name, "build", "--network=host", "--build-arg", "BASE=python:3.13"]
    assert {f"/{FILE}", str(sbom)} <= set(re.split(r"[ \":;]+", " ".join(todo.sbom)))
    assert str(archive) in " ".join(todo.save)
    assert todo.size[-1] == image


@pytest.mark.parametrize(
    ("name", "problem"),
    [("kaniko", "kaniko is no engine that this knows"), ("podman", "podman does not answer")],
)
def test_an_engine_that_was_named_and_can_t_build_is_an_error_with_a_next_step(
    name: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=problem) as raised:
        make_image(tmp_path, Wanted(engine=name))
    assert "none" in raised.value.hint


def test_the_dockerfile_runs_as_a_number_behind_an_init_and_keeps_the_list() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["/usr/bin/tini", "--", "/opt/makima/bin/python", "-m", "makima"]' in last
    assert f"> /{FILE}" in DOCKERFILE
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for file in " ".join(copied).split():
        assert (ROOT / file).exists(), file
        assert f"!{file}\n" in (ROOT / ".dockerignore").read_text(), f"{file} is ignored"
