"""Events of contracts with these labels: events have no labels, the API server knows which contracts have them now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from makima.client.cluster import Cluster, JsonObject
from makima.client.following import Change, Changed, Gone, Listed, Lost, follow
from makima.client.merging import merged
from makima.client.stream import Frame
from makima.errors import ClusterUnavailable

WAIT = 1.0
"""Seconds between two attempts to ask the API server."""

LINGER = 10.0
"""Seconds that a contract still counts once it is gone, or its labels are: its last events may come later."""


async def labelled(
    cluster: Cluster, selector: str, places: Sequence[str | None], frames: AsyncGenerator[Frame, None]
) -> AsyncGenerator[Frame, None]:
    """Those frames that are about such contracts, or about the stream itself.

    Args:
        places: namespaces to look in; None = all of them.

    Raises:
        Denied: this person may not list and watch contracts there.
    """
    chosen = Chosen(cluster, selector)
    watches = [follow(cluster, "contracts", place, selector=selector) for place in places]
    streams: list[AsyncGenerator[Frame | Change, None]] = [frames, *watches]
    async with aclosing(merged(streams)) as items:
        async for item in items:
            if not isinstance(item, dict):
                chosen.take(item)
            elif "contract_id" not in item or await chosen.has(item):
                yield item


class Chosen:
    """Contracts with these labels, as far as they were told of or asked for."""

    def __init__(self, cluster: Cluster, selector: str) -> None:
        self._cluster, self._selector = cluster, selector
        self._there: set[str] = set()
        self._others: set[str] = set()
        self._leaving: dict[str, float] = {}

    def take(self, change: Change) -> None:
        """Take in what the watch tells, which is of these contracts alone."""
        match change:
            case Listed(bodies):
                there = {_uid(body) for body in bodies}
                self._leave(self._there - there)
                self._join(there)
            case Changed(body):
                self._join({_uid(body)})
            case Gone(body):
                self._leave({_uid(body)})
            case Lost():
                pass  # what is known stays; the stream, or its own watch, says that the server is away

    async def has(self, frame: Frame) -> bool:
        """Whether it is about one of them; asked of the API server once for each that the watch has not told of."""
        uid = str(frame["contract_id"])
        if uid in self._there or self._leaving.get(uid, 0.0) > time.monotonic():
            return True
        if uid not in self._others:
            self._others.add(uid)
            self._join(await self._asked(frame, uid))
        return uid in self._there

    def _join(self, uids: set[str]) -> None:
        self._there |= uids
        self._others -= uids

    def _leave(self, uids: set[str]) -> None:
        self._there -= uids
        self._leaving |= dict.fromkeys(uids, time.monotonic() + LINGER)

    async def _asked(self, frame: Frame, uid: str) -> set[str]:
        """Its UID if it has the labels: an event may come before the watch tells of a contract that is new."""
        name = f"metadata.name={frame['name']}"
        while True:
            try:
                page = await self._cluster.page("contracts", frame["namespace"], selector=self._selector, fields=name)
                return {_uid(body) for body in page.get("items") or ()} & {uid}
            except ClusterUnavailable:  # what it is about is not known before, and nothing may be lost
                await asyncio.sleep(WAIT)


def _uid(body: JsonObject) -> str:
    return str(body["metadata"]["uid"])
