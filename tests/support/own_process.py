"""A process of makima of the test's own, to be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import ClassVar, Self

from tests.support.forked import ForkedPython

MAKIMA_GROUPS = ("system:serviceaccounts", "system:serviceaccounts:makima-system", "system:authenticated")
"""Groups of the service accounts that makima's processes run on."""


class ProcessUnderTest:
    """One process. Its log is kept, and shown when a test fails.

    Attributes:
        command: what follows `python`.
        section: of the configuration; its ports are free ones, told in a file.
        stop_seconds: within which it ends in good order.
        ports: by kind, as the process told them when it was asked for last.
    """

    command: ClassVar[tuple[str, ...]]
    section: ClassVar[str]
    stop_seconds: ClassVar[float]

    def __init__(self, log: Path, kubeconfig: Path, database_url: str, **settings: object) -> None:
        self.log, self.ports_file = log, log.with_suffix(".ports")
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "MAKIMA_DATABASE_URL": database_url,
            f"MAKIMA_{self.section}__HEALTH_PORT": "0",
            f"MAKIMA_{self.section}__METRICS_PORT": "0",
            f"MAKIMA_{self.section}__PORTS_FILE": str(self.ports_file),
            **{f"MAKIMA_{key.upper()}": str(value) for key, value in settings.items()},
        }
        self.process: ForkedPython | None = None
        self.ports: dict[str, str] = {}

    def start(self) -> Self:
        """Start it; returns at once."""
        self.ports_file.unlink(missing_ok=True)
        self.process = ForkedPython(self.command, self._environment, self.log, self.log)
        return self

    async def keep_running(self) -> None:
        """Start it again whenever it ends, as a Deployment does, until cancelled."""
        while True:
            if not self.running:
                ProcessUnderTest.start(self)
            await asyncio.sleep(0.2)

    def wait_ready(self, seconds: float) -> Self:
        """Wait until /readyz says yes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.running, f"it ended: {self.log.read_text()[-3000:]}"
            try:
                if self.knows_ports() and self.get("health", "/readyz")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"it did not become ready: {self.log.read_text()[-3000:]}")

    def knows_ports(self) -> bool:
        """Whether it told its ports; until then callers meet those of its last start, where nobody answers."""
        text = self.ports_file.read_text() if self.ports_file.exists() else ""
        found = dict(line.split("=") for line in text.split())
        if "metrics" in found:
            self.ports = found
        return "metrics" in found

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def get(self, kind: str, path: str) -> tuple[int, str]:
        """GET from its health or metrics port."""
        self.knows_ports()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[kind]}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self) -> int:
        """End it in good order; gives its exit code."""
        if self.process is None:
            return 0
        ended = self.process.poll()
        if ended is not None:
            return ended
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
