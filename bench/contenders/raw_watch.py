"""The floor: one LIST, one WATCH, a queue, and a PUT of the status. No framework, no history, no Events, no lease.

python -m bench.contenders.raw_watch KUBECONFIG
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from bench.contenders.next_status import next_status, without_nulls
from bench.watching import contract_path, list_all, watch
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.errors import ClusterError, Conflict

WORKERS = 16
Object = dict[str, Any]


class RawLoop:
    """Contracts by UID, and the queue of those to look at; a UID is never with two workers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.bodies: dict[str, Object] = {}
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.queued: set[str] = set()
        self.working: set[str] = set()

    async def run(self) -> None:
        """List, then watch, for ever."""
        workers = [asyncio.create_task(self.work()) for _ in range(WORKERS)]
        try:
            while True:
                items, version = await list_all(self.connection)
                for body in items:
                    self.see(body)
                async for event in watch(self.connection, version):
                    if event["type"] == "DELETED":
                        self.bodies.pop(event["object"]["metadata"]["uid"], None)
                    elif event["type"] in ("ADDED", "MODIFIED"):
                        self.see(event["object"])
        finally:
            for worker in workers:
                worker.cancel()

    def see(self, body: Object) -> None:
        """Remember what is news, and have it looked at."""
        uid = body["metadata"]["uid"]
        if self.keep(body) and uid not in self.queued and uid not in self.working:
            self.queued.add(uid)
            self.queue.put_nowait(uid)

    def keep(self, body: Object) -> bool:
        """Whether this is newer than what is known; an answer to a write may be older than what the watch has seen."""
        meta = body["metadata"]
        known = self.bodies.get(meta["uid"])
        if known is not None and int(known["metadata"]["resourceVersion"]) >= int(meta["resourceVersion"]):
            return False
        self.bodies[meta["uid"]] = body
        return True

    async def work(self) -> None:
        """Look at one contract after the other."""
        while True:
            uid = await self.queue.get()
            self.queued.discard(uid)
            self.working.add(uid)
            try:
                await self.drive(uid)
            finally:
                self.working.discard(uid)

    async def drive(self, uid: str) -> None:
        """Write until nothing is left to do; what changed meanwhile is in `bodies` by then."""
        while (body := self.bodies.get(uid)) is not None and (after := next_status(body)) is not None:
            meta = body["metadata"]
            path = contract_path(meta["namespace"], meta["name"])
            try:
                put = {**body, "status": without_nulls(after)}
                self.keep(await self.connection.request("PUT", f"{path}/status", body=put))
            except Conflict:
                self.keep(await self.connection.request("GET", path))
            except ClusterError as error:
                print(f"{path}: {error}", file=sys.stderr)
                return


async def main(kubeconfig: Path) -> None:
    """Run until SIGTERM."""
    async with Connection(await load_configuration(kubeconfig), "bench-raw-watch") as connection:
        running = asyncio.ensure_future(RawLoop(connection).run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled() and running.exception() is not None:
            raise SystemExit(f"the raw watch loop ended: {running.exception()!r}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
