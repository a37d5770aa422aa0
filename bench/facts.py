"""The machine and the versions that the figures belong to."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path


def machine_facts() -> list[str]:
    """Lines to be shown under the table."""
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    gib = int(memory.split()[1]) / 1024**2
    one, five, _ = os.getloadavg()
    cores = len(os.sched_getaffinity(0))
    packages = ", ".join(f"{name} {version(name)}" for name in ("kopf", "aiohttp", "kubernetes"))
    return [
        f"{_processor()}, {cores} cores, {gib:.0f} GiB; load at the start {one:.1f} (5 min {five:.1f})",
        f"Linux {platform.release()}, Python {platform.python_version()}; {packages}",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def server_facts(programs: dict[str, Path]) -> str:
    """Versions of the servers in the sandbox."""
    found = []
    for name in ("kube-apiserver", "etcd"):
        said = subprocess.run([programs[name], "--version"], capture_output=True, text=True, check=False).stdout
        found.append(f"{name} {said.split()[-1] if name != 'etcd' else said.split()[2]}" if said.split() else name)
    return (
        ", ".join(found)
        + ", Postgres of the sandbox; API server, database, operator and load generator share the cores"
    )
