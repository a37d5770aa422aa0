"""Whether watches really work: the leader watches its own Lease, and sees its own renewals come back.

A process that answers HTTP may still be deaf. A liveness check that depends on this round trip finds a connection
that is open and silent. The probe's watch is opened again after the same silence as kopf's: opened sooner, it would
tell of watches that work while the others are still deaf.
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

log = logging.getLogger(__name__)


class WatchProbe:
    """Watches one object and remembers when something of it last arrived.

    Args:
        connection: to the API server.
        path: of the object.
        inactivity: seconds of silence after which the watch is opened again.
    """

    def __init__(self, connection: Connection, path: str, inactivity: float) -> None:
        collection, _, name = path.rpartition("/")
        self._limits = aiohttp.ClientTimeout(total=None, connect=10, sock_read=inactivity)
        self._connection, self._path = connection, collection
        self._query = {"watch": "true", "fieldSelector": f"metadata.name={name}", "timeoutSeconds": "300"}
        self._arrived: float | None = None
        self._told = ""

    def age(self) -> float | None:
        """Seconds since the last round trip; None before the first."""
        return None if self._arrived is None else time.monotonic() - self._arrived

    async def run(self) -> None:
        """Watch until cancelled; a watch that ends is opened again."""
        while True:
            try:
                await self._watch()
            except (aiohttp.ClientError, TimeoutError, OSError, ClusterError, ValueError) as error:
                self._tell(str(error) or type(error).__name__)
            await asyncio.sleep(PAUSE)

    def _tell(self, why: str) -> None:
        """Once per reason, since it is tried again every second. Untold, a restart would have no cause in the log."""
        if why != self._told:
            log.warning("the watch of our own lease does not work, and /healthz goes by it: %s", why)
        self._told = why

    async def _watch(self) -> None:
        response = await self._connection.open("GET", self._path, query=self._query, limits=self._limits)
        async with response:
            response.raise_for_status()
            async for line in response.content:
                if json.loads(line).get("type") in ("ADDED", "MODIFIED"):
                    self._arrived, self._told = time.monotonic(), ""
