"""Whether watches really work: the leader watches its own Lease, and sees its own renewals come back.

A process that answers HTTP may still be deaf. A liveness check that depends on this round trip finds a connection
that is open and silent (seen: kopf notices after `inactivity_timeout`, 70 s).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time

import aiohttp

from makima.adapters.kubernetes.connection import Connection
from makima.errors import ClusterError

PAUSE = 1.0
WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=60)

log = logging.getLogger(__name__)


class WatchProbe:
    """Watches one object and remembers when something of it last arrived."""

    def __init__(self, connection: Connection, path: str) -> None:
        collection, _, name = path.rpartition("/")
        self._connection, self._path = connection, collection
        self._query = {"watch": "true", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": "300"}
        self._arrived: float | None = None

    def age(self) -> float | None:
        """Seconds since the last round trip; None before the first."""
        return None if self._arrived is None else time.monotonic() - self._arrived

    async def run(self) -> None:
        """Watch until cancelled; a watch that ends is opened again."""
        while True:
            try:
                await self._watch()
            except (aiohttp.ClientError, TimeoutError, OSError, ClusterError, ValueError) as error:
                log.debug("watch probe: %s", error)
            await asyncio.sleep(PAUSE)

    async def _watch(self) -> None:
        response = await self._connection.open("GET", self._path, query=self._query, limits=WATCH_TIMEOUT)
        async with response:
            response.raise_for_status()
            async for line in response.content:
                if json.loads(line).get("type") in ("ADDED", "MODIFIED"):
                    self._arrived = time.monotonic()
