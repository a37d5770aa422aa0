"""`makima supervise` as a process of its own, to be killed and started again; and programs for it to wrap."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.support.api_double import ApiDouble
from tests.support.forked import ForkedPython

SCRIPTED = (sys.executable, str(Path(__file__).parent / "scripted_agent.py"))
"""Prints reports, the same ones whenever it runs."""

FAKE_CODEX = str(Path(__file__).parent / "fake_codex" / "codex")
"""Prints codex' lines and keeps codex' files; its prompt says what it does."""


class WrapperUnderTest:
    """One `makima supervise`. What it prints is kept, and shown when a test fails."""

    def __init__(self, log: Path, api: ApiDouble, home: Path, command: Sequence[str], options: Sequence[str]) -> None:
        self.log = log
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKIMA_")}
        arguments = ["-m", "makima", "supervise", "--contract", "here/work", "--api", api.url]
        self.process = ForkedPython(
            [*arguments, *options, "--", *command],
            {**environment, "HOME": str(home), "MAKIMA_STATE_DIR": str(home / "state"), "PYTHONUNBUFFERED": "1"},
            log.with_suffix(".out"),
            log,
        )

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self.process.poll() is None

    @property
    def printed(self) -> str:
        """What it passed on of the program's output."""
        return self.log.with_suffix(".out").read_text()

    async def ended(self, seconds: float = 30) -> int:
        """Wait for its end; gives the exit code."""
        async with asyncio.timeout(seconds):
            while self.running:
                await asyncio.sleep(0.01)
        return self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it alone."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL it alone; what it started goes on."""
        self.process.kill()
        self.process.wait(timeout=10)


StartWrapper = Callable[..., WrapperUnderTest]


@contextmanager
def wrappers(api: ApiDouble, folder: Path) -> Iterator[StartWrapper]:
    """Start wrappers that share one home; all are ended at the end, with everything that they left."""
    home = folder / "home"
    home.mkdir()
    number = count()
    started: list[WrapperUnderTest] = []

    def start(*command: str, options: Sequence[str] = ("--grace", "1")) -> WrapperUnderTest:
        wrapper = WrapperUnderTest(folder / f"wrapper-{next(number)}.log", api, home, command, options)
        started.append(wrapper)
        return wrapper

    try:
        yield start
    finally:
        for wrapper in started:
            wrapper.kill()
            print(wrapper.log.name, wrapper.log.read_text()[-4000:])
        for pid in processes_with(str(api.contract_id)):
            os.kill(pid, signal.SIGKILL)


def processes_with(mark: str) -> list[int]:
    """Processes that run with this mark in their environment."""
    wanted = f"MAKIMA_SUPERVISED={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            mine = entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0")
            if mine and (entry / "stat").read_bytes().rsplit(b")", 1)[1].split()[0] != b"Z":
                found.append(int(entry.name))
        except OSError:
            continue
    return found
