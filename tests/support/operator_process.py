"""`makima operator` as a process of its own, to be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from makima.sandbox import Sandbox

OPERATOR_USER = "system:serviceaccount:makima-system:makima-operator"
OPERATOR_GROUPS = ("system:serviceaccounts", "system:serviceaccounts:makima-system", "system:authenticated")


class OperatorUnderTest:
    """One operator process. Its log is kept, and shown when a test fails."""

    def __init__(self, log: Path, kubeconfig: Path, database_url: str, **settings: object) -> None:
        self.log = log
        self.health_file = log.with_suffix(".port")
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "MAKIMA_DATABASE_URL": database_url,
            "MAKIMA_OPERATOR__HEALTH_PORT": "0",
            "MAKIMA_OPERATOR__METRICS_PORT": "0",
            "MAKIMA_OPERATOR__PORTS_FILE": str(self.health_file),
            **{f"MAKIMA_{key.upper()}": str(value) for key, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> OperatorUnderTest:
        """Start it; returns at once."""
        self.health_file.unlink(missing_ok=True)
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "makima", "operator"]
            self.process = subprocess.Popen(command, env=self._environment, stdout=out, stderr=out)
        return self

    async def keep_running(self) -> None:
        """Start it again whenever it ends, as a Deployment does, until cancelled."""
        while True:
            if not self.running:
                self.start()
            await asyncio.sleep(0.2)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

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
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process is not None else 0
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def get(self, kind: str, path: str) -> tuple[int, str]:
        """GET from its health or metrics port."""
        ports = dict(line.split("=") for line in self.health_file.read_text().split())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports[kind]}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_leading(self, seconds: float = 60) -> OperatorUnderTest:
        """Wait until it drives contracts."""
        deadline = time.monotonic() + seconds
        while "leading as" not in self.log.read_text():
            assert self.running, f"the operator ended: {self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"the operator does not lead: {self.log.read_text()[-3000:]}"
            time.sleep(0.05)
        return self

    def wait_ready(self, seconds: float = 30) -> OperatorUnderTest:
        """Wait until /readyz says yes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.running, f"the operator ended: {self.log.read_text()[-3000:]}"
            try:
                if self.health_file.exists() and self.get("health", "/readyz")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the operator did not become ready: {self.log.read_text()[-3000:]}")


StartOperator = Callable[..., OperatorUnderTest]
"""Starts one more operator; takes settings by keyword, and a kubeconfig if not the account's own is to be used."""


@contextmanager
def operators(
    sandbox: Sandbox, namespace: str, database_url: str, folder: Path, **settings: object
) -> Iterator[StartOperator]:
    """Start operators that compete for one namespace, on the operator's own account; all are ended at the end.

    Args:
        sandbox: where they work.
        namespace: what they watch; their Lease is named after it.
        database_url: of the history.
        folder: for their logs.
        settings: of all of them, where one start says nothing else.
    """
    account = sandbox.cluster.kubeconfig_for(OPERATOR_USER, OPERATOR_GROUPS)
    common = {"operator__namespaces": f'["{namespace}"]', "operator__lease_name": f"lease-{namespace}", **settings}
    number = count()
    with ExitStack() as ends:

        def start(kubeconfig: Path = account, **own: object) -> OperatorUnderTest:
            log = folder / f"operator-{next(number)}.log"
            operator = OperatorUnderTest(log, kubeconfig, database_url, **{**common, **own})
            ends.callback(operator.stop)
            return operator.start()

        yield start
