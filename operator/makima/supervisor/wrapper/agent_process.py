"""The program as a process: no stdin, a session of its own, its output read and passed on, ended with all below it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from makima.supervisor.dialects.line_splitter import LineSplitter
from makima.supervisor.wrapper import processes

CHUNK = 64 * 1024
DRAIN_SECONDS = 5.0
"""For output that is still in the pipe once everything that could write has ended."""

TakeLine = Callable[[bytes], Awaitable[None]]


class AgentProcess:
    """One run of a program.

    Attributes:
        splitter: of its output; counts lines too long to be read.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path | None) -> None:
        """Start it.

        Raises:
            OSError: it can't be started.
        """
        self.splitter = LineSplitter()
        self._taking, self._taken = False, 0
        self._popen = subprocess.Popen(  # noqa: S603  # the caller's own command
            list(command),
            stdin=subprocess.DEVNULL,  # an open pipe blocks the start of some
            stdout=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
        processes.KEPT.add(self._popen.pid)

    async def run(self, take: TakeLine, grace: float) -> int:
        """Read until it ended; then end what it left behind, and read the rest.

        Returns:
            Its return code, negative where a signal ended it.
        """
        assert self._popen.stdout is not None
        reading = asyncio.create_task(self._read(take))
        ended = asyncio.create_task(self._ended())
        try:
            await asyncio.wait({reading, ended}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and reading.exception() is not None:
                self.kill()  # what it says can't be taken any more
            code = await ended
            await processes.end(processes.descendants, grace)
            await self._drain(reading)
            return code
        finally:
            for task in (reading, ended):
                task.cancel()
            await asyncio.gather(reading, ended, return_exceptions=True)
            self._popen.stdout.close()

    async def _drain(self, reading: asyncio.Task[None]) -> None:
        """Lines that are being taken may take their time; a pipe that somebody else holds open may not."""
        while not reading.done():
            before = self._taken
            await asyncio.wait([reading], timeout=DRAIN_SECONDS)
            if not self._taking and self._taken == before:
                return
        await reading

    def forward(self, number: signal.Signals) -> None:
        """Send a signal to the program and its process group."""
        if self._popen.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, number)

    async def _ended(self) -> int:
        """Its return code. Whoever is cancelled here has to kill it: the thread that waits ends with it."""
        try:
            return await asyncio.to_thread(self._popen.wait)
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            if self._popen.returncode is not None:
                processes.KEPT.discard(self._popen.pid)

    def kill(self) -> None:
        """SIGKILL it and everything below, now."""
        self.forward(signal.SIGKILL)
        processes.kill_now()

    async def _read(self, take: TakeLine) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=CHUNK, loop=loop)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._popen.stdout)
        try:
            while chunk := await reader.read(CHUNK):
                await asyncio.to_thread(_pass_on, chunk)
                await self._take(take, self.splitter.feed(chunk))
            await self._take(take, self.splitter.close())
        finally:
            transport.close()

    async def _take(self, take: TakeLine, lines: Sequence[bytes]) -> None:
        self._taking = True
        for line in lines:
            await take(line)
            self._taken += 1
        self._taking = False


def _pass_on(chunk: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody reads our output any more: the work goes on
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
