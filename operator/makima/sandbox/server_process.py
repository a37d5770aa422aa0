"""One server of the sandbox: a process that can be started, killed, frozen, and found again by who comes later."""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from makima.sandbox.folders import SandboxError

START_SECONDS = 60.0
STOP_SECONDS = 10.0


PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections: a port that one of them gave out as free may be in use by a
connection when its server comes to listen on it, minutes later."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at the moment."""
    for number in random.sample(PORTS, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", number))
                return number
    raise SandboxError(
        f"no port of 127.0.0.1 between {PORTS.start} and {PORTS.stop} is free", "end what you need no more"
    )


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


_launched: dict[int, subprocess.Popen[bytes]] = {}
"""What this process started. Servers outlive whoever started them; kept here, so that their ends can be collected."""


@atexit.register
def _let_go() -> None:
    """Popen objects warn of processes that still run when Python ends; these are meant to."""
    for child in _launched.values():
        if child.returncode is None:
            child.returncode = 0


def launch_detached(command: Sequence[str], out: IO[bytes] | int, **options: Any) -> int:
    """Start a process in a session of its own (Ctrl-C is for whoever waits, not for servers).

    Returns:
        Its process id.
    """
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(command, stdin=quiet, stdout=out, stderr=out, start_new_session=True, **options)
    _launched[child.pid] = child
    return child.pid


def ended(pid: int) -> bool:
    """Whether a process is gone; takes the zombie away if it was ours."""
    child = _launched.get(pid)
    if child is None:
        return not lives(pid)
    return child.poll() is not None


@dataclass
class ServerProcess:
    """A server with its command line, its log and the question that tells whether it works.

    Attributes:
        name: what people call it.
        command: how it is started.
        folder: holds its log (NAME.log) and its process id (NAME.pid).
        answers: whether it works by now; may take a second, must not raise.
        options: for Popen, for example another user.
        stop_signal: ends it in good order.
    """

    name: str
    command: Sequence[str]
    folder: Path
    answers: Callable[[], bool]
    options: dict[str, Any] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Its process id while it is there."""
        file = self.folder / f"{self.name}.pid"
        text = file.read_text() if file.exists() else ""
        return int(text) if text and self._is_ours(int(text)) else None

    def _is_ours(self, pid: int) -> bool:
        """A process id is used again some day: the program has to be the same."""
        if ended(pid):
            return False
        if pid in _launched:
            return True  # not collected yet, so not used again; right after its start it has no command line to read
        told = Path(f"/proc/{pid}/cmdline")
        return not told.exists() or told.read_bytes().split(b"\0")[0].decode() == self.command[0]

    def launch(self) -> None:
        """Start it, without waiting."""
        with self.log.open("ab") as out:
            pid = launch_detached(self.command, out, **self.options)
        (self.folder / f"{self.name}.pid").write_text(str(pid))

    def wait(self) -> None:
        """Wait until it works.

        Raises:
            SandboxError: it ended, or does not work in time; carries the end of its log.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            gone = self.pid is None
            if gone or time.monotonic() > deadline:
                why = "ended" if gone else f"does not answer after {START_SECONDS:.0f} s"
                last = self.log.read_text(errors="replace").strip().splitlines()[-5:]
                raise SandboxError(f"{self.name} {why}:\n" + "\n".join(last), f"its whole log: {self.log}")
            time.sleep(0.03)

    def start(self) -> None:
        """Start it and wait until it works; nothing if it runs already."""
        if self.pid is None:
            self.launch()
        self.wait()

    def stop(self) -> None:
        """End it in good order; after some seconds by force."""
        pid = self.pid
        if pid is None:
            return
        self.thaw()
        _send(self.stop_signal, [pid])
        if not _gone(pid):
            self.kill()

    def kill(self) -> None:
        """SIGKILL it and whatever it started, as when the machine dies; returns when all of them are gone.

        Stopped first, so that it starts nothing after its children were counted: a Postgres whose backend outlives it
        by a moment can't be started again ("pre-existing shared memory block is still in use").
        """
        pid = self.pid
        if pid is not None:
            _send(signal.SIGSTOP, [pid])
            children = _children(pid)
            _send(signal.SIGKILL, [pid, *children])
            for each in (pid, *children):
                _gone(each)

    def freeze(self) -> None:
        """Stop it without ending it: connections stay open and nothing answers."""
        pid = self.pid
        if pid is not None:
            _send(signal.SIGSTOP, [pid, *_children(pid)])

    def thaw(self) -> None:
        """Let it go on."""
        pid = self.pid
        if pid is not None:
            _send(signal.SIGCONT, [pid, *_children(pid)])


def _send(number: signal.Signals, pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if ended(pid):
            return True
        time.sleep(0.02)
    return False


def _children(pid: int) -> list[int]:
    """Direct children (Linux; elsewhere the server's own clean-up has to do)."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []
