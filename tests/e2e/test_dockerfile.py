"""The Dockerfile built by an engine, without a registry of images: base images are made of Debian's packages.

Needs what only Debian has: `apt-get install buildah mmdebstrap` (no daemon, no registry). The image then runs on the
node as any pod of the chart does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from makima.sandbox import Sandbox
from makima.sandbox.image.makima_image import USER, image_name
from tests.e2e.kubectl import RESTRICTED_CONTAINER, Kubectl, pod
from tests.e2e.release import ROOT

pytestmark = [pytest.mark.timeout(1200), pytest.mark.xdist_group("node"), pytest.mark.exhaustive]

TOOLS = ("buildah", "mmdebstrap")
RUNTIME = "python3,python-is-python3,ca-certificates"
BUILDER = f"{RUNTIME},python3-venv,python3-pip"
BASE, BASE_BUILDER = "localhost/makima-test-base:1", "localhost/makima-test-builder:1"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
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


def run(*command: str, seconds: float = 600, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def make_base(folder: Path, name: str, packages: str) -> None:
    """A base image of Debian's packages, which trusts whom this machine trusts."""
    archive = folder / "base.tar"
    hook = f'--customize-hook=cp {CERTIFICATES} "$1{CERTIFICATES}"'
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", hook, "bookworm", str(archive))
    container = run("buildah", "from", "scratch").strip()
    run("buildah", "add", "--quiet", container, str(archive), "/")
    run("buildah", "config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", container)
    run("buildah", "commit", "--quiet", "--rm", container, name)
    archive.unlink()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """What `make image` says, and its folder. Images are taken away again; `chroot` needs no rights of a runtime."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not here: apt-get install {' '.join(TOOLS)}")
    folder = tmp_path_factory.mktemp("dist")
    make_base(folder, BASE, RUNTIME)
    make_base(folder, BASE_BUILDER, BUILDER)
    try:
        said = run(
            "make", "image", f"BASE={BASE}", f"BUILDER={BASE_BUILDER}", f"DIST={folder}", BUILDAH_ISOLATION="chroot"
        )
        yield said, folder
    finally:
        subprocess.run(
            ["buildah", "rmi", "--force", image_name(), BASE, BASE_BUILDER], capture_output=True, check=False
        )


@pytest.fixture(scope="module")
def loaded(made: tuple[str, Path], node_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image on the node, under a name of its own: the node has another of makima's name."""
    archive = tmp_path_factory.mktemp("loaded") / "image.tar"
    run("buildah", "push", image_name(), f"docker-archive:{archive}:{LOADED}")
    assert node_sandbox.node is not None
    node_sandbox.node.load(archive)
    archive.unlink()
    return LOADED


def test_make_image_builds_with_an_engine_and_gives_archive_and_list(
    made: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    said, folder = made
    assert f"{image_name()}: in buildah, size " in said
    size = (folder / "makima-operator.tar").stat().st_size / 1e6
    assert size < LARGEST_MB
    parts = json.loads((folder / "makima-operator.cdx.json").read_text())["components"]
    assert {"kopf", "psycopg", "makima-operator"} <= {part["name"] for part in parts}
    assert "pip" not in {part["name"] for part in parts}
    with capsys.disabled():
        print(f"\nimage of the Dockerfile: {size:.0f} MB, {len(parts)} parts")


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
