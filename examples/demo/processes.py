"""The processes that run beside: the operator, the API service, the supervisor; each is ended with the demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from narration import console, wait
from people import NAMESPACE, ROOT

MAKIMA = (sys.executable, "-m", "makima")
EXAMPLE = ROOT / "examples" / "release-notes"
FOR_PEOPLE = ("KUBECONFIG", "MAKIMA_DATABASE_URL")
"""What the supervisor does not get: it has a token, and knows neither cluster nor database."""


class Background:
    """A process in the background; its output goes to a log file."""

    def __init__(self, name: str, command: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        with log.open("w") as out:
            self._process = subprocess.Popen(
                command, env=environment, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True
            )
        console.print(f"{name}: process {self.pid} (log: {log})")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        """What it said so far."""
        return self.log.read_text().splitlines()

    @property
    def ended(self) -> bool:
        """Whether it came to its own end."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """SIGKILL: it has no chance to say or to save anything."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it; by force where it does not listen."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()


def start_service(kind: str, kubeconfig: Path, database_url: str, scratch: Path, more: Mapping[str, str]) -> Background:
    """`makima operator` or `makima api`, on any free ports, which it writes into a file."""
    environment = {**os.environ, **more, "KUBECONFIG": str(kubeconfig), "MAKIMA_DATABASE_URL": database_url}
    prefix = f"MAKIMA_{kind.upper()}__"
    environment |= {f"{prefix}{port}": "0" for port in ("HEALTH_PORT", "METRICS_PORT")}
    environment |= {"MAKIMA_API__PORT": "0", f"{prefix}PORTS_FILE": str(_ports_file(kind, scratch))}
    return Background(kind, (*MAKIMA, kind), environment, scratch / f"{kind}.log")


def api_url(scratch: Path) -> str:
    """Where the API service serves, once it is ready.

    Raises:
        narration.DemoError: it did not become ready in time.
    """
    file = _ports_file("api", scratch)
    wait("the API service to say its ports", lambda: file.exists() and "metrics=" in file.read_text())
    ports = dict(line.split("=") for line in file.read_text().split())
    wait("the API service to be ready", lambda: _answers(f"http://127.0.0.1:{ports['health']}/readyz"))
    return f"http://127.0.0.1:{ports['api']}"


def start_supervisor(contract: str, life: int, api: str, scratch: Path) -> Background:
    """The supervisor's process: it has a token of its own, and nothing else."""
    environment = {key: value for key, value in os.environ.items() if key not in FOR_PEOPLE}
    environment |= {"MAKIMA_API_URL": api, "MAKIMA_CONTRACT": f"{NAMESPACE}/{contract}"}
    environment |= {"MAKIMA_TOKEN_FILE": str(scratch / "token")}
    command = (sys.executable, str(EXAMPLE / "supervisor.py"), "--repository", str(ROOT))
    command += ("--out", str(scratch / contract))
    return Background("supervisor", command, environment, scratch / f"supervisor-{contract}-{life}.log")


def _ports_file(kind: str, scratch: Path) -> Path:
    return scratch / f"{kind}.ports"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
