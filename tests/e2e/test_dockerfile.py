"""The Dockerfile, built by each engine that is here, and run on the node as pods of the chart are."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from makima.sandbox import Sandbox
from makima.sandbox.image.engines import ENGINES
from makima.sandbox.image.makima_image import USER, image_name
from makima.sandbox.node.images import archive_names
from tests.e2e.engines import BASE, BASE_BUILDER, BASES, OPTIONS, Engine, engine, make_bases
from tests.e2e.kubectl import RESTRICTED_CONTAINER, Kubectl, pod

pytestmark = [pytest.mark.timeout(1200), pytest.mark.xdist_group("node"), pytest.mark.exhaustive]

LOADED = "localhost/makima-from-dockerfile:1"
LARGEST_MB = 600
LOOK = """
import json, os, pathlib, shutil, subprocess, time
subprocess.run(["sh", "-c", "sh -c 'exit 0' & exit 0"], check=True)
time.sleep(0.5)
def state(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
def writable(path):
    try:
        pathlib.Path(path, "written").touch()
    except OSError:
        return False
    return True
print(json.dumps({
    "user": os.getuid(), "group": os.getgid(), "init": pathlib.Path("/proc/1/comm").read_text().strip(),
    "dead": [pid for pid in os.listdir("/proc") if pid.isdigit() and state(pid) == "Z"],
    "found": [name for name in ("gcc", "cc", "pip", "pip3", "make") if shutil.which(name)],
    "pip": subprocess.run(["python", "-m", "pip", "--version"], capture_output=True).returncode,
    "written": [path for path in ("/", "/opt/makima", "/usr", "/etc", "/var") if writable(path)],
    "tmp": writable("/tmp"),
}))
"""


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Archives of the base images, for all engines."""
    folder = tmp_path_factory.mktemp("bases")
    yield make_bases(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=ENGINES)
def builder(request: pytest.FixtureRequest, bases: dict[str, Path]) -> Iterator[Engine]:
    """Each engine with the base images; what was built is taken away again."""
    with engine(request.param) as found:
        try:
            for name, archive in bases.items():
                found.take(name, archive)
            yield found
        finally:
            found.forget(LOADED, image_name(), *BASES)


@pytest.fixture(scope="module")
def made(builder: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What `make image` says, and its folder."""
    folder = tmp_path_factory.mktemp("dist")
    asked = (f"ENGINE={builder.name}", f"BASE={BASE}", f"BUILDER={BASE_BUILDER}", f"OPTIONS={OPTIONS[builder.name]}")
    return builder.run("make", "image", *asked, f"DIST={folder}"), folder


@pytest.fixture(scope="module")
def loaded(
    made: tuple[str, Path], builder: Engine, node_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The image on the node, under a name of its own: the node has another of makima's name."""
    archive = tmp_path_factory.mktemp("loaded") / "image.tar"
    builder.save_as(image_name(), LOADED, archive)
    assert archive_names(archive) == [LOADED], "others of this node go by makima's own name"
    assert node_sandbox.node is not None
    node_sandbox.node.load(archive)
    archive.unlink()
    return LOADED


def test_make_image_builds_with_an_engine_and_gives_archive_and_list(
    builder: Engine, made: tuple[str, Path], measured: Callable[[str], None]
) -> None:
    said, folder = made
    assert f"{image_name()}: in {builder.name}, size " in said
    size = (folder / "makima-operator.tar").stat().st_size / 1e6
    assert size < LARGEST_MB
    parts = json.loads((folder / "makima-operator.cdx.json").read_text())["components"]
    assert {"kopf", "psycopg", "makima-operator"} <= {part["name"] for part in parts}
    assert "pip" not in {part["name"] for part in parts}
    measured(f"image of the Dockerfile, by {builder.name}: {size:.0f} MB, {len(parts)} parts")


def test_it_runs_as_a_number_on_a_read_only_file_system_without_tools(loaded: str, kubectl: Kubectl) -> None:
    body = pod("look", loaded, "/usr/bin/tini", "--", "python", "-c", LOOK)
    spec = body["spec"]
    spec["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]
    kubectl.apply(body)
    kubectl.wait_pod("look", lambda status: status["phase"] in {"Succeeded", "Failed"})
    seen = json.loads(kubectl.run("logs", "look"))
    assert (seen["user"], seen["group"], seen["init"]) == (USER, USER, "tini")
    assert seen["dead"] == [], "orphans are taken away"
    assert (seen["found"], seen["written"], seen["tmp"]) == ([], [], True)
    assert seen["pip"] != 0


def test_its_entry_point_is_makima_and_ends_when_it_is_told_to(loaded: str, kubectl: Kubectl) -> None:
    body = pod("api", loaded)
    container = body["spec"]["containers"][0]
    del container["command"]
    container["args"] = ["api"]
    container["securityContext"] = RESTRICTED_CONTAINER
    container["env"] = [
        {"name": "MAKIMA_DATABASE_URL", "value": "postgresql://nobody@127.0.0.1:1/nothing"},
        {"name": "MAKIMA_API__BIND_ADDRESS", "value": "0.0.0.0"},
        {"name": "MAKIMA_API__HEALTH_PORT", "value": "8081"},
    ]
    container["startupProbe"] = {"httpGet": {"path": "/healthz", "port": 8081}, "periodSeconds": 1}
    container["startupProbe"]["failureThreshold"] = 60
    body["spec"]["terminationGracePeriodSeconds"] = 120
    kubectl.apply(body)
    kubectl.wait_pod("api", lambda status: bool(status.get("containerStatuses", [{}])[0].get("started")), 120)
    began = time.monotonic()
    kubectl.run("delete", "pod", "api", "--timeout=110s", seconds=120)
    assert time.monotonic() - began < 60, "SIGTERM did not reach it: it was killed after its grace period"
