"""What process 1 of a node does: its own mounts and addresses, its programs, and taking away the dead."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network
from pathlib import Path

from makima.sandbox.node.addresses import SERVICES
from makima.sandbox.node.cgroups import create_cgroup
from makima.sandbox.node.configuration import write_configuration
from makima.sandbox.node.layout import CONTAINERD_SOCKET, Layout
from makima.sandbox.node.linux_calls import MS_BIND, MS_PRIVATE, MS_REC, MS_SHARED, mount
from makima.sandbox.node.log import tell
from makima.sandbox.node.netlink import add_address, add_own_network, add_route, bring_up

WAIT_SECONDS = 60.0
NODE_NAME = "node"
SYSTEM_FOLDERS = ("/run", "/var/lib", "/var/log")
KERNEL_SETTINGS = {"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1"}
TOLD_LINES = 5


def run_inside(layout: Layout) -> int:
    """Set the node up, start what it runs, and stay until something of it ends.

    Returns:
        Exit code; 1, as a node whose program ended is no node.
    """
    _mount(layout)
    _connect(layout)
    create_cgroup(layout.sandbox)
    write_configuration(layout, _snapshotter(layout.folder / "probe"))
    programs: dict[int, str] = {}
    for name, command, needs in _programs(layout):
        if not _wait(needs, programs):
            return 1
        programs[_start(layout, name, command)] = name
    return _reap(layout, programs)


def _mount(layout: Layout) -> None:
    """Mounts of the node's own: what its programs write to fixed places is gone when it ends."""
    mount("", "/", flags=MS_REC | MS_PRIVATE)  # nothing of this is to reach the machine
    mount("", "/", flags=MS_REC | MS_SHARED)  # containers may ask for propagation
    mount("proc", "/proc", "proc")
    for folder in SYSTEM_FOLDERS:
        if Path(folder).is_dir():
            mount("tmpfs", folder, "tmpfs")
    (layout.folder / "resolv.conf").write_text(f"nameserver {layout.addresses.node}\n")
    for setting, value in KERNEL_SETTINGS.items():  # kubelet writes them for the whole machine: it gets a copy
        copy = Path("/run/kernel-settings") / setting
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(f"{value}\n")
        mount(str(copy), f"/proc/sys/{setting}", flags=MS_BIND)


def _connect(layout: Layout) -> None:
    """The node's end of the cable, the way out, and every address of a service as its own."""
    addresses = layout.addresses
    bring_up("lo")
    add_address("eth0", addresses.node, addresses.cable.prefixlen)
    bring_up("eth0")
    add_route(IPv4Network("0.0.0.0/0"), addresses.host)
    add_own_network(SERVICES)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")  # of this network namespace only


def _snapshotter(probe: Path) -> str:
    """Overlay where the file system allows it (not on top of another overlay, as in a container), else whole copies."""
    parts = {name: probe / name for name in ("lower", "upper", "work", "merged")}
    for part in parts.values():
        part.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
    try:
        mount("overlay", str(parts["merged"]), "overlay", data=options)
    except OSError:
        return "native"
    return "overlayfs"


def _programs(layout: Layout) -> list[tuple[str, list[str], Callable[[], bool]]]:
    """Name, command line, and what has to be there first."""
    kubelet = {
        "config": layout.kubelet,
        "kubeconfig": layout.kubeconfig,
        "hostname-override": NODE_NAME,
        "node-ip": layout.addresses.node,
        "root-dir": layout.folder / "kubelet",
        "cert-dir": layout.folder / "kubelet-pki",
    }
    options = [f"--{name}={value}" for name, value in kubelet.items()]
    api = (str(layout.addresses.host), layout.api_port)
    return [
        ("containerd", [str(layout.programs / "containerd"), "--config", str(layout.containerd)], lambda: True),
        (
            "kubelet",
            [str(layout.programs / "kubelet"), *options],
            lambda: _accepts(socket.AF_INET, api) and _accepts(socket.AF_UNIX, CONTAINERD_SOCKET),
        ),
        (
            "services",
            [sys.executable, "-m", "makima.sandbox.node.service_proxy", str(layout.folder)],
            lambda: True,
        ),
    ]


def _accepts(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family) as probe:
        probe.settimeout(1)
        return probe.connect_ex(address) == 0


def _wait(there: Callable[[], bool], programs: Mapping[int, str]) -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    while not there():
        pid, _ = os.waitpid(-1, os.WNOHANG) if programs else (0, 0)
        if pid in programs or time.monotonic() > deadline:
            tell(f"the API server or containerd does not answer; {programs.get(pid, 'nothing')} ended")
            return False
        time.sleep(0.05)
    return True


def _start(layout: Layout, name: str, command: list[str]) -> int:
    """Not by subprocess, which would collect some of the dead itself."""
    path = f"{layout.programs}{os.pathsep}{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin:/sbin:/usr/bin:/bin"
    log = os.open(layout.folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    files = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    try:
        environment = {**os.environ, "PATH": path}
        return os.posix_spawn(command[0], command, environment, file_actions=files, setsid=True)
    finally:
        os.close(log)


def _reap(layout: Layout, programs: Mapping[int, str]) -> int:
    """Process 1 inherits every orphan. Returns when one of the node's own programs is among the dead."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid in programs:
            name = programs[pid]
            lines = (layout.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()[-TOLD_LINES:]
            tell(f"{name} ended with {os.waitstatus_to_exitcode(status)}:\n" + "\n".join(lines))
            return 1
