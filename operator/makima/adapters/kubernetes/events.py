"""Kubernetes Events: sent after the write, in the background, bounded; repeats fold into a count.

Events are for people who look (`kubectl describe`); the history is Postgres. So a flood drops Events, says so once
and counts them, and never slows a contract down: while contracts wait for their turn, Events go slowly.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection
from makima.domain.notices import Notice
from makima.errors import ClusterError, ClusterUnavailable
from makima.ports import JsonObject

QUEUE = 10_000
WORKERS = 2
"""Few: an Event costs the API server a third of a status write, and when it is the bottleneck contracts go first."""

GIVE_WAY = 0.25
"""Seconds that each worker lets contracts go first before it sends the next Event; they come at 8/s then."""

FOLD_FOR = timedelta(minutes=10)
REMEMBERED = 20_000
TRIES = 4
MESSAGE_LIMIT = 1024

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sent:
    """An Event that was sent: its path, and how often it happened."""

    path: str
    at: datetime
    count: int = 1


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An Event on its way."""

    key: str
    body: dict[str, Any]


class KubernetesEvents:
    """`makima.ports.EventSink`.

    Attributes:
        contracts_wait: whether contracts wait for their turn, so that Events give way to their writes.
    """

    def __init__(self, connection: Connection, reporter: str) -> None:
        self._connection, self._reporter = connection, reporter
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue(QUEUE)
        self._sent: OrderedDict[str, Sent] = OrderedDict()
        self._workers: list[asyncio.Task[None]] = []
        self.dropped = 0
        self.contracts_wait: Callable[[], bool] = lambda: False

    def start(self) -> None:
        """Start sending."""
        self._workers = [asyncio.create_task(self._send_all()) for _ in range(WORKERS)]

    async def close(self, seconds: float = 3.0) -> None:
        """Send what waits, for at most so long, then stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._queue.join()
        except TimeoutError:
            log.info("%d Events were not sent", self._queue.qsize())
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def publish(self, contract: JsonObject, notice: Notice, at: datetime) -> None:
        """Send an Event about the contract, soon."""
        try:
            self._queue.put_nowait(self._event(contract, notice, at))
        except asyncio.QueueFull:
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                log.warning(
                    "Events are dropped, %d so far: the API server does not take them fast enough", self.dropped
                )

    def _event(self, contract: JsonObject, notice: Notice, at: datetime) -> Outgoing:
        meta = contract["metadata"]
        parts = (meta["uid"], notice.reason.value, notice.message)
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
        stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{meta['name'][:200]}.{key[:12]}{at.timestamp():.0f}",
                "namespace": meta["namespace"],
            },
            "involvedObject": {
                "apiVersion": contract.get("apiVersion"),
                "kind": contract.get("kind"),
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
                "resourceVersion": meta.get("resourceVersion"),
            },
            "reason": notice.reason.value,
            "message": notice.message[:MESSAGE_LIMIT],
            "type": "Warning" if notice.warning else "Normal",
            "source": {"component": "makima-operator"},
            "reportingComponent": "makima.dev/operator",
            "reportingInstance": self._reporter[:128],
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
        }
        return Outgoing(key, body)

    async def _send_all(self) -> None:
        while True:
            outgoing = await self._queue.get()
            try:
                if self.contracts_wait():
                    await asyncio.sleep(GIVE_WAY)
                await self._send(outgoing)
            finally:
                self._queue.task_done()

    async def _send(self, outgoing: Outgoing) -> None:
        for attempt in range(TRIES):
            try:
                return await self._send_once(outgoing)
            except ClusterUnavailable:
                await asyncio.sleep(0.2 * 4**attempt)
            except ClusterError as error:
                self.dropped += 1
                log.warning("Event %s refused: %s", outgoing.body["reason"], error)
                return None
        self.dropped += 1
        return None

    async def _send_once(self, outgoing: Outgoing) -> None:
        now = datetime.now(UTC)
        known = self._sent.get(outgoing.key)
        if known is not None and now - known.at < FOLD_FOR:
            known.count += 1
            patch = {"count": known.count, "lastTimestamp": outgoing.body["lastTimestamp"]}
            await self._connection.request("PATCH", known.path, body=patch, content_type=MERGE_PATCH)
            return
        collection = f"/api/v1/namespaces/{outgoing.body['metadata']['namespace']}/events"
        self._remember(outgoing.key, Sent(f"{collection}/{outgoing.body['metadata']['name']}", now))
        await self._connection.request("POST", collection, body=outgoing.body)

    def _remember(self, key: str, sent: Sent) -> None:
        self._sent[key] = sent
        self._sent.move_to_end(key)
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
