"""The cgroups of a node's pods: one folder per sandbox, made before kubelet starts, removed after the node."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

from makima.sandbox.folders import SandboxError

CGROUPS = Path("/sys/fs/cgroup")
REMOVAL_SECONDS = 10.0


def cgroup_name(sandbox: str) -> str:
    """The cgroup that holds all pods of this sandbox's node."""
    return f"makima-{sandbox}"


def unified() -> bool:
    """Whether this machine has cgroup v2 only; v1 has one hierarchy per controller."""
    return (CGROUPS / "cgroup.controllers").exists()


def create_cgroup(sandbox: str) -> None:
    """Make it in every hierarchy; kubelet refuses a root cgroup that isn't there.

    Raises:
        SandboxError: cgroup v2 does not let this root have children with controllers.
    """
    if unified():
        _delegate(CGROUPS)
        (CGROUPS / cgroup_name(sandbox)).mkdir(exist_ok=True)
        return
    for hierarchy in CGROUPS.iterdir():
        if (hierarchy / "cgroup.procs").exists():
            (hierarchy / cgroup_name(sandbox)).mkdir(exist_ok=True)


def remove_cgroup(sandbox: str) -> list[Path]:
    """Remove it with everything below; waits some seconds for processes that are still being ended.

    Returns:
        What could not be removed, as a process is still in there.
    """
    deadline = time.monotonic() + REMOVAL_SECONDS
    while left := _remove(sandbox):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def cgroups_of(sandbox: str) -> list[Path]:
    """Where there is one, in whichever hierarchy."""
    name = cgroup_name(sandbox)
    return [folder for folder in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")) if folder.is_dir()]


def container_pids(sandbox: str, container: str) -> list[int]:
    """The processes of a container, as this machine counts them; the first is the container's own process 1.

    Args:
        sandbox: its name.
        container: id as Kubernetes shows it, `containerd://…`.
    """
    for top in cgroups_of(sandbox):
        for folder in top.rglob(container.removeprefix("containerd://")):
            return sorted(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
    return []


def _remove(sandbox: str) -> list[Path]:
    for top in cgroups_of(sandbox):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):  # EBUSY: tried again until the deadline
                Path(folder).rmdir()
    return cgroups_of(sandbox)


def _delegate(root: Path) -> None:
    """Let children of the root have every controller that the root has (kubelet does so further down)."""
    wanted = " ".join(f"+{name}" for name in (root / "cgroup.controllers").read_text().split())
    try:
        (root / "cgroup.subtree_control").write_text(wanted)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        raise SandboxError(
            f"{root} has processes of its own, so cgroup v2 gives its children no controllers",
            "in a container: move them aside first (mkdir /sys/fs/cgroup/init; write each pid to its cgroup.procs)",
        ) from None
