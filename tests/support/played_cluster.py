"""A scripted Kubernetes API of one person, for what follows contracts and supervisors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from makima.errors import Denied
from tests.support.monitor_contracts import a_supervisor

Event = dict[str, Any]


class PlayedCluster:
    """An API server that lists what there is and then tells what it is told to."""

    def __init__(self, *contracts: Event) -> None:
        self.contracts = list(contracts)
        self.denied: set[str] = set()
        self.asked: list[tuple[str, str | None, str, str]] = []
        self._told: dict[str, asyncio.Queue[Event | Exception]] = {}

    def tell(self, plural: str, event: Event | Exception) -> None:
        self._queue(plural).put_nowait(event)

    def _queue(self, plural: str) -> asyncio.Queue[Event | Exception]:
        return self._told.setdefault(plural, asyncio.Queue())

    async def page(
        self, plural: str, namespace: str | None, *, selector: str = "", fields: str = "", token: str = ""
    ) -> Event:
        if plural in self.denied:
            raise Denied(f"{plural} is forbidden", status=403)
        self.asked.append((plural, namespace, selector, fields))
        supervisor = a_supervisor("pay").model_dump(mode="json", by_alias=True, exclude_none=True)
        items = self.contracts if plural == "contracts" else [supervisor]
        return {"items": items, "metadata": {"resourceVersion": "1"}}

    async def watch(self, plural: str, *_: Any, **__: Any) -> AsyncGenerator[Event, None]:
        while True:
            event = await self._queue(plural).get()
            if isinstance(event, Exception):
                raise event
            yield event
