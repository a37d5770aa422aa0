"""The clients' process: `python -m bench.watch.watchers FILE` connects, says "ready", and reports once its input ends.

Latency is from the moment before the event was given to Postgres, which the event carries, to its frame's arrival here.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from array import array
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvloop

from bench.beats.sockets import StreamSocket
from bench.results import percentile
from bench.watch.plan import Watcher, WatchPlan, watchers

PATH = "/api/v1/contracts/monitor"
CONNECT_SECONDS = 120.0
AT_ONCE = 50
QUIET_SECONDS, LONGEST = 2.0, 60.0
"""The end is reached once nothing has come for so long, or after the longest wait."""

FIRST_BYTES = 64 * 1024


class Client:
    """One socket; remembers the numbers that came, and how late."""

    def __init__(self, plan: WatchPlan, watcher: Watcher, latencies: array[float]) -> None:
        self._filtered, self.watcher, self._latencies = plan.filtered, watcher, latencies
        self.numbers = array("q")
        self.missed = self.thrown_away = 0
        self.last = 0.0
        self.lost = ""
        self.socket = StreamSocket(f"127.0.0.1:{plan.port}", PATH + watcher.query, plan.token)
        self.socket.on_answer, self.socket.on_lost = self._came, self._gone

    def _came(self, _status: int, body: bytes) -> None:
        now = time.time()
        self.last = now
        frame = json.loads(body)
        kind = frame["type"]
        if kind == "ContractTouched":
            if self._filtered or self.watcher.wants(frame["contract"]):
                self.numbers.append(frame["number"])
                self._latencies.append(now - frame["sent"])
            else:
                self.thrown_away += 1
        elif kind == "Missed":
            self.missed += frame["to_seq"] - frame["from_seq"] + 1

    def _gone(self, why: str) -> None:
        self.lost = why


async def connect(plan: WatchPlan, watcher: Watcher, latencies: array[float], room: asyncio.Semaphore) -> Client:
    """An open client."""
    client = Client(plan, watcher, latencies)
    async with room, asyncio.timeout(CONNECT_SECONDS):
        await asyncio.get_running_loop().create_connection(lambda: client.socket, "127.0.0.1", plan.port)
        await client.socket.opened
    return client


async def silent(plan: WatchPlan) -> asyncio.StreamWriter:
    """A client that reads its handshake and nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", plan.port, limit=FIRST_BYTES)
    lines = (
        f"GET {PATH}?include_stale=true HTTP/1.1",
        "Host: x",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: bWFraW1hLWJlbmNoLTAwMQ==",
        f"Authorization: Bearer {plan.token}",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of a stream that reads
    return writer


async def run(plan: WatchPlan) -> dict[str, Any]:
    """Connect all, wait for the end, report."""
    latencies, room = array("d"), asyncio.Semaphore(AT_ONCE)
    clients = await asyncio.gather(*(connect(plan, watcher, latencies, room) for watcher in watchers(plan.clients)))
    stuck = [await silent(plan) for _ in range(plan.silent)]
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    with suppress(TimeoutError):
        await _quiet(clients)
    for writer in stuck:
        writer.transport.abort()
    ordered = sorted(latencies)
    return {
        "numbers": [list(client.numbers) for client in clients],
        "missed": sum(client.missed for client in clients),
        "thrown_away": sum(client.thrown_away for client in clients),
        "lost": [client.lost for client in clients if client.lost],
        "p50": percentile(ordered, 0.5) if ordered else 0.0,
        "p99": percentile(ordered, 0.99) if ordered else 0.0,
        "longest": ordered[-1] if ordered else 0.0,
    }


async def _quiet(clients: list[Client]) -> None:
    async with asyncio.timeout(LONGEST):
        while time.time() - max(client.last for client in clients) < QUIET_SECONDS:  # noqa: ASYNC110  # silence is no event
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(WatchPlan.read(json.loads(Path(sys.argv[1]).read_text()))))), flush=True)
