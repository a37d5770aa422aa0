"""Contenders as processes: started with an account of their own, measured from outside, ended by their id."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cluster import BenchCluster
from bench.deadlines import BenchError, until

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("makima", "plain_kopf", "raw_watch")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Contender:
    """One running process.

    Attributes:
        began: `time.perf_counter()` just before it was started.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    began: float

    def check(self) -> None:
        """Whether it still runs.

        Raises:
            BenchError: it ended by itself; shows the end of its log.
        """
        if self.process.poll() is not None:
            raise BenchError(f"{self.name} ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")

    def peak_mib(self) -> float:
        """Most memory it ever had (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def cpu_seconds(self) -> float:
        """Processor time it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def quiet(self, seconds: float) -> None:
        """Wait until it uses next to no processor time for two seconds."""
        last = [self.cpu_seconds()] * 3

        def rests() -> bool:
            self.check()
            last.append(self.cpu_seconds())
            return last.pop(0) > last[-1] - 0.2

        await asyncio.sleep(2)
        await until(rests, seconds, f"{self.name} to come to rest", pause=1.0)

    async def stop(self) -> None:
        """SIGTERM, and wait for the end; what doesn't end is killed."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            await asyncio.to_thread(self.process.wait, 30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait, 10)

    async def kill(self) -> None:
        """SIGKILL: it gives up nothing in good order."""
        self.process.kill()
        await asyncio.to_thread(self.process.wait, 10)


def _command(name: str, cluster: BenchCluster) -> list[str]:
    if name == "makima":
        return [sys.executable, "-m", "makima", "operator"]
    if name == "plain_kopf":
        program = str(ROOT / "bench" / "contenders" / "plain_kopf.py")
        return [sys.executable, "-m", "kopf", "run", "--all-namespaces", "--standalone", program]
    return [sys.executable, "-m", "bench.contenders.raw_watch", str(cluster.operator_kubeconfig)]


def inherited() -> dict[str, str]:
    """This process's environment without anything that configures makima or Kubernetes."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("MAKIMA_", "KUBE"))}


def _environment(name: str, cluster: BenchCluster, database_url: str) -> dict[str, str]:
    kubeconfig = cluster.twin_kubeconfig if name == "plain_kopf" else cluster.operator_kubeconfig
    makima = {
        "MAKIMA_DATABASE_URL": database_url,
        "MAKIMA_OPERATOR__HEALTH_PORT": "0",
        "MAKIMA_OPERATOR__METRICS_PORT": "0",
    }
    for_name = makima if name == "makima" else {}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**inherited(), "KUBECONFIG": str(kubeconfig), "PYTHONPATH": path, **for_name}


def launch(name: str, cluster: BenchCluster, command: list[str], environment: dict[str, str]) -> Contender:
    """Start a process; its log is in the cluster's scratch folder."""
    log = cluster.scratch / f"{name}-{time.time_ns()}.log"
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=ROOT)
    return Contender(name, process, log, began)


@asynccontextmanager
async def running(name: str, cluster: BenchCluster, database_url: str) -> AsyncIterator[Contender]:
    """The contender, from here to the end of the block."""
    contender = launch(name, cluster, _command(name, cluster), _environment(name, cluster, database_url))
    try:
        yield contender
    finally:
        await contender.stop()
