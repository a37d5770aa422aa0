"""The socket of a wrapper: whoever has this user's rights, and nobody else, may call."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from makima.supervisor.tools.actions import Actions
from makima.supervisor.tools.calls import CALL_BYTES, ToolAnswer

TOO_LONG = ToolAnswer(ok=False, text=f"not done: a call has at most {CALL_BYTES} bytes")


class ToolSocket:
    """A Unix socket in a folder that is closed to others; the folder goes with it.

    Attributes:
        path: of the socket.
    """

    def __init__(self) -> None:
        """Make the folder.

        Raises:
            OSError: there is no folder for temporary files.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="makima-", ignore_cleanup_errors=True)  # mode 0700
        self.path = Path(self._folder.name) / "tools"

    @asynccontextmanager
    async def serve(self, actions: Actions) -> AsyncIterator[None]:
        """Answer calls until the block ends."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await _answer_all(actions, reader, writer)
            writer.close()

        server = await asyncio.start_unix_server(handle, self.path, limit=CALL_BYTES)
        try:
            yield
        finally:
            server.close()
            self._folder.cleanup()


async def _answer_all(actions: Actions, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One after the other; a line that is too long ends the connection."""
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return
        except asyncio.LimitOverrunError:
            await _send(writer, TOO_LONG)
            return
        await _send(writer, await actions.carry_out(line))


async def _send(writer: asyncio.StreamWriter, answer: ToolAnswer) -> None:
    writer.write(answer.model_dump_json().encode() + b"\n")
    await writer.drain()
