"""Whether this machine can run a node: every reason why not, each with what to do."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from makima.sandbox.folders import SandboxError, cache_folder

NEEDED_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_CHROOT": 18, "CAP_SYS_ADMIN": 21, "CAP_MKNOD": 27}
NEEDED_COMMANDS = ("sh", "mount")
NEEDED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
HIDDEN_INSIDE = ("/run", "/var/lib", "/var/log")
CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """What was looked up on this machine (tests give other values)."""

    platform: str = sys.platform
    capabilities: int = 0
    controllers: frozenset[str] = frozenset()
    writable_cgroups: bool = False
    command: Callable[[str], str | None] = shutil.which
    cache: Path = field(default_factory=lambda: Path("/root/.cache/makima"))

    @classmethod
    def here(cls) -> Machine:
        """This machine."""
        if sys.platform != "linux":
            return cls()
        controllers = _controllers()
        writable = os.access(CGROUPS if (CGROUPS / "cgroup.controllers").exists() else CGROUPS / "memory", os.W_OK)
        return cls(sys.platform, _capabilities(), controllers, writable, shutil.which, cache_folder())


def reasons_against(machine: Machine) -> list[str]:
    """Why no node can run here, in words that say what to do; empty where one can."""
    if machine.platform != "linux":
        return [f"a node needs Linux, and this is {machine.platform}: use a Linux machine, or --kubeconfig"]
    lacking = [name for name, bit in NEEDED_CAPABILITIES.items() if not machine.capabilities >> bit & 1]
    if lacking:
        return [f"a node needs root with {', '.join(lacking)}: run it with sudo, or in a privileged container"]
    found = []
    controllers = sorted(set(NEEDED_CONTROLLERS) - machine.controllers)
    if controllers:
        found.append(f"no cgroup controller {', '.join(controllers)}: mount cgroups at {CGROUPS}")
    elif not machine.writable_cgroups:
        found.append(f"{CGROUPS} can't be written: in a container, start it privileged")
    found += [
        f"the command {command} is not on PATH: install it (kubelet and containers are started by it)"
        for command in NEEDED_COMMANDS
        if machine.command(command) is None
    ]
    found += [
        f"the cache {machine.cache} is below {hidden}, which a node hides: set XDG_CACHE_HOME"
        for hidden in HIDDEN_INSIDE
        if machine.cache.is_relative_to(hidden)
    ]
    return found


def require_node_support() -> None:
    """See that a node can run here.

    Raises:
        SandboxError: it can't; carries every reason.
    """
    reasons = reasons_against(Machine.here())
    if reasons:
        raise SandboxError(
            "no node can run here:\n  " + "\n  ".join(reasons),
            "without --node everything but running pods works; --kubeconfig uses a cluster of your own",
        )


def _capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def _controllers() -> frozenset[str]:
    """Those of cgroup v2, or those that v1 has mounted one by one."""
    unified = CGROUPS / "cgroup.controllers"
    if unified.exists():
        return frozenset(unified.read_text().split())
    return frozenset(name for name in NEEDED_CONTROLLERS if (CGROUPS / name / "cgroup.procs").exists())
