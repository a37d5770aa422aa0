"""The naive twin: `python -m bench.watch.naive DATABASE_URL PORTS_FILE` gives every client a queue of every event.

The same framework and the same history. No filters (clients throw away what they don't want), each event encoded for
each client, queues without an end. When its memory has grown too far it takes in nothing more.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop
from starlette.types import Receive, Scope, Send

from makima.adapters.postgres.history import PostgresHistory
from makima.http.server import listener, serve, server
from makima.models.history import StoredEvent

MOST_BYTES = 1_500_000_000
LOOK_SECONDS = 0.01


class Naive:
    """All clients."""

    def __init__(self, history: PostgresHistory) -> None:
        self._history = history
        self._queues: set[asyncio.Queue[StoredEvent]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One client."""
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        queue: asyncio.Queue[StoredEvent] = asyncio.Queue()
        self._queues.add(queue)
        sending = asyncio.create_task(_send_all(queue, send))
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self._queues.discard(queue)
            sending.cancel()

    async def skip(self) -> int:
        """The number of the newest event: what happened before the clients came is none of theirs."""
        seq = 0
        while some := await self._history.events_after(seq, 500):
            seq = some[-1].seq
        return seq

    async def follow(self, seq: int) -> None:
        """Put every event after this one into every queue."""
        while _memory() < MOST_BYTES:
            for stored in await self._history.events_after(seq, 500):
                seq = stored.seq
                for queue in self._queues:
                    queue.put_nowait(stored)
            await asyncio.sleep(LOOK_SECONDS)


async def _send_all(queue: asyncio.Queue[StoredEvent], send: Send) -> None:
    with suppress(OSError):
        while True:
            await send({"type": "websocket.send", "text": _encoded(await queue.get())})


def _encoded(stored: StoredEvent) -> str:
    event = stored.event
    frame: dict[str, Any] = {"type": event.type, "seq": stored.seq, "at": event.at, "contract_id": event.contract_id}
    frame |= {"namespace": event.namespace, "name": event.contract_name, **event.payload}
    return json.dumps(frame, default=str)


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def main(url: str, told: Callable[[int], object]) -> None:
    """Serve until ended; `told` is called with the port."""
    history = PostgresHistory(url)
    await history.open()
    naive = Naive(history)
    sock = listener("127.0.0.1", 0)
    following = asyncio.create_task(naive.follow(await naive.skip()))
    told(sock.getsockname()[1])
    await serve(server(naive, None, None), sock)
    following.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], lambda port: Path(sys.argv[2]).write_text(str(port))))
