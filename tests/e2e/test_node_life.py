"""A node comes up in time, and of one that ended nothing is left on the machine, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from makima.sandbox import Sandbox, attach, start
from makima.sandbox.folders import sandbox_folder
from makima.sandbox.node.cgroups import cgroups_of
from makima.sandbox.node.images import archive_names
from tests.e2e.kubectl import Kubectl, pod

pytestmark = pytest.mark.xdist_group("node")

READY_SECONDS = 60


@pytest.fixture
def name(node_sandbox: Sandbox) -> Iterator[str]:
    """The name of a sandbox of this test's own; the shared one shows that two nodes live side by side."""
    name = f"life-{os.getpid()}"
    yield name
    found = attach(name)
    if found is not None:
        found.stop()


def running(name: str) -> tuple[Sandbox, str]:
    """A node with a running pod, and what its network namespace is called."""
    found = start(name, node=True)
    assert found.node is not None
    kubectl = Kubectl(found.cluster.programs / "kubectl", found.cluster.kubeconfig, "life")
    kubectl.create_namespace({})
    image = archive_names(found.node.folder / "pause.tar")[0]
    kubectl.apply(pod("pause", image, "/pause"))
    kubectl.wait_pod("pause", lambda now: now["phase"] == "Running")
    return found, namespace_of(found)


def namespace_of(found: Sandbox) -> str:
    assert found.node is not None
    init = (found.node.folder / "init.pid").read_text()
    return str(Path(f"/proc/{init}/ns/net").readlink())


def left_of(name: str, link: str, namespace: str) -> list[str]:
    """Everything of a node that could stay behind: mounts, processes, network, cgroups, files."""
    folder = str(Path("sandboxes") / name)
    left = [line for line in Path("/proc/self/mounts").read_text().splitlines() if folder in line]
    left += [str(path) for path in cgroups_of(name)]
    left += [str(sandbox_folder(name))] if sandbox_folder(name).exists() else []
    left += [link] if Path("/sys/class/net", link).exists() else []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                str((process / "ns/net").readlink()) == namespace
                or folder.encode() in (process / "cmdline").read_bytes()
            ):
                left.append(f"process {process.name}: {(process / 'cmdline').read_bytes()!r}")
        except OSError:
            continue  # gone, or a kernel thread
    return left


def wait_nothing_left(name: str, link: str, namespace: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while left := left_of(name, link, namespace):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.1)


@pytest.mark.exhaustive
def test_a_node_is_ready_in_time_and_leaves_nothing_and_the_next_starts_right_after(name: str) -> None:
    for _ in range(2):
        began = time.monotonic()
        found, namespace = running(name)
        assert time.monotonic() - began < READY_SECONDS
        assert found.node is not None
        assert left_of(name, found.node.addresses.link, namespace), "what is looked for can be found while it runs"
        found.stop()
        assert left_of(name, found.node.addresses.link, namespace) == []
        assert attach(name) is None


@pytest.mark.exhaustive
def test_the_guard_ends_a_node_whose_owner_was_killed(name: str) -> None:
    code = f"import os, time; from makima.sandbox import start; start({name!r}, node=True, ends_with=os.getpid())"
    owner = subprocess.Popen([sys.executable, "-c", f"{code}; print('up', flush=True); time.sleep(600)"], stdout=-1)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    found, namespace = running(name)
    assert found.node is not None
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    wait_nothing_left(name, found.node.addresses.link, namespace, 30)


@pytest.mark.exhaustive
def test_a_node_whose_kubelet_ended_says_so_and_is_replaced_by_the_next_up(name: str) -> None:
    found, _ = running(name)
    assert found.node is not None
    init = int((found.node.folder / "init.pid").read_text())
    children = Path(f"/proc/{init}/task/{init}/children").read_text().split()
    (kubelet,) = (pid for pid in children if b"/kubelet\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(int(kubelet), signal.SIGKILL)
    deadline = time.monotonic() + 20
    while found.node.processes[0].pid is not None:
        assert time.monotonic() < deadline, "the node lives on without kubelet"
        time.sleep(0.05)
    assert "kubelet ended with -9" in (found.folder / "node.log").read_text()
    assert not found.running
    again = start(name, node=True)
    assert again.running


def test_up_with_node_of_a_sandbox_without_says_what_to_do(sandbox: Sandbox) -> None:
    command = [sys.executable, "-m", "makima", "sandbox", "up", "--node", "--name", sandbox.name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"runs without a node\n  next: makima sandbox down --name {sandbox.name}" in done.stderr


def test_load_names_the_image_and_refuses_what_is_none(node_sandbox: Sandbox, tmp_path: Path) -> None:
    def load(file: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "makima", "sandbox", "load", str(file), "--name", node_sandbox.name]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert node_sandbox.node is not None
    assert load(node_sandbox.node.folder / "pause.tar").stdout == "localhost/makima-pause:1\n"
    assert "there is no image archive" in load(tmp_path / "none.tar").stderr
    (tmp_path / "text.tar").write_text("no archive")
    assert "is no image archive" in load(tmp_path / "text.tar").stderr
