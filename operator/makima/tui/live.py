"""The world by a kubeconfig: contracts and supervisors by watch, events and heartbeats from makima's API.

Whatever breaks is taken up again and said in the status line; only a person who may not look at all ends the monitor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from makima.client import Person
from makima.client.api import NEWEST, ApiError
from makima.client.following import Change as KubeChange
from makima.client.following import Changed, Gone, Lost, follow
from makima.client.following import Listed as KubeListed
from makima.client.stream import Filter, Frame
from makima.client.streams import Monitors
from makima.client.wishes import Wishes
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor
from makima.models.wire.monitor import NAMESPACES
from makima.tui.frames import happening_of, missed_text
from makima.tui.source import (
    ApiLink,
    Change,
    ContractGone,
    ContractsSeen,
    Happened,
    Happening,
    Key,
    Kind,
    KubeLink,
    Link,
    LinkState,
    Listed,
    Missed,
    SupervisorGone,
    SupervisorsSeen,
)

WAITING = 1000
"""Changes that wait to be shown; a slower terminal holds the watches up, which then go on further behind."""

PART = 200
"""Contracts read at a time: in between, keys are answered."""

API_AGAIN = 15.0
"""Seconds until an API that did not answer is asked again."""


class LiveSource:
    """The source of the monitor.

    Attributes:
        namespaces: to look in; None = in all.
    """

    def __init__(self, person: Person, namespaces: Sequence[str] | None) -> None:
        self._person, self.namespaces = person, namespaces
        self._kube: dict[tuple[Kind, str | None], str | None] = {}
        self._queue: asyncio.Queue[Change] = asyncio.Queue(WAITING)

    async def changes(self) -> AsyncIterator[Change]:
        """What is so, then every change.

        Raises:
            MakimaError: this person may not look there, or the cluster does not know makima.
        """
        places: Sequence[str | None] = (None,) if self.namespaces is None else self.namespaces
        works = [asyncio.create_task(self._watch(kind, place)) for kind in Kind for place in places]
        works.append(asyncio.create_task(self._listen()))
        try:
            async with aclosing(self._told(works)) as told:
                async for change in told:
                    yield change
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)

    async def _told(self, works: list[asyncio.Task[None]]) -> AsyncGenerator[Change, None]:
        while True:
            getting = asyncio.create_task(self._queue.get())
            try:
                await asyncio.wait([getting, *works], return_when=asyncio.FIRST_COMPLETED)
                for work in works:
                    if work.done():
                        work.result()  # raises what ended it
                yield await getting
            finally:
                getting.cancel()

    async def past_events(self, contract: Contract, limit: int, before: int | None = None) -> Sequence[Happening]:
        """From makima's API."""
        meta = contract.metadata
        path = self._person.api.contract(meta.namespace, meta.name, "events")
        page = await self._person.api.get(path, limit=str(limit), before=str(before or NEWEST))
        found = (happening_of(entry) for entry in page.get("events") or ())
        return tuple(event for event in found if event is not None)

    async def answer(self, contract: Contract, question_id: str, answer: str) -> None:
        """As the person, on the API server."""
        await self._wishes(contract).answer(question_id, answer)

    async def advance(self, contract: Contract, to: str, *, confirmed: bool, reason: str | None = None) -> None:
        """As the person, on the API server, for the version that was seen."""
        await self._wishes(contract).advance(contract, to=to, confirmed=confirmed, reason=reason)

    async def suspend(self, contract: Contract, suspended: bool, reason: str | None = None) -> None:
        """As the person, on the API server."""
        wishes = self._wishes(contract)
        await (wishes.pause(reason) if suspended else wishes.resume())

    async def retry(self, contract: Contract) -> None:
        """As the person, on the API server."""
        await self._wishes(contract).retry(contract)

    async def restart_supervisor(self, contract: Contract, incarnation: int) -> None:
        """As the person, on the API server; a later life than the one that was seen is left alone."""
        meta, spec = contract.metadata, {"restartSupervisor": {"expectedIncarnation": incarnation}}
        await self._person.cluster.merge("contracts", meta.namespace, meta.name, {"spec": spec})

    def _wishes(self, contract: Contract) -> Wishes:
        return Wishes(self._person.cluster, contract.metadata.namespace, contract.metadata.name)

    async def _watch(self, kind: Kind, place: str | None) -> None:
        async with aclosing(follow(self._person.cluster, kind.value, place)) as changes:
            async for change in changes:
                for told in await self._read(kind, place, change):
                    await self._queue.put(told)

    async def _read(self, kind: Kind, place: str | None, change: KubeChange) -> list[Change]:
        match change:
            case KubeListed(bodies):
                for start in range(0, len(bodies), PART):
                    await self._queue.put(_seen(kind, bodies[start : start + PART]))
                    await asyncio.sleep(0)
                keys = frozenset(map(_key, bodies))
                return [Listed(kind, keys, place), *self._link(kind, place, None)]
            case Changed(body):
                return [_seen(kind, [body]), *self._link(kind, place, None)]
            case Gone(body):
                gone = ContractGone(_key(body)) if kind is Kind.CONTRACTS else SupervisorGone(_key(body))
                return [gone, *self._link(kind, place, None)]
            case Lost(why):
                return self._link(kind, place, why)

    def _link(self, kind: Kind, place: str | None, problem: str | None) -> list[Change]:
        """The watch is live if every part of it is; said when it changes."""
        before = self._state()
        self._kube[kind, place] = problem
        now = self._state()
        if now == before:
            return []
        live, why = now
        return [KubeLink(Link(LinkState.LIVE if live else LinkState.DOWN, datetime.now(UTC), why))]

    def _state(self) -> tuple[bool, str]:
        parts = len(Kind) * (1 if self.namespaces is None else len(self.namespaces))
        problems = [why for why in self._kube.values() if why is not None]
        return len(self._kube) == parts and not problems, problems[0] if problems else ""

    async def _listen(self) -> None:
        """The monitor stream, for ever: an API that is away, or refuses, is asked again now and then."""
        named, api = self.namespaces, self._person.api
        if not api.aggregated and named is not None and len(named) > NAMESPACES:
            named = None  # of so many, events of others are not shown for want of a row
        monitors = Monitors(api, Filter(include_heartbeats=True), None, named)
        while True:
            try:
                async with aclosing(monitors.frames()) as frames:
                    async for frame in frames:
                        await self._frame(frame)
            except ApiError as error:
                await self._queue.put(ApiLink(Link(LinkState.DOWN, datetime.now(UTC), error.message)))
            await asyncio.sleep(API_AGAIN)

    async def _frame(self, frame: Frame) -> None:
        match frame.get("type"):
            case "Subscribed":
                await self._queue.put(ApiLink(Link(LinkState.LIVE, datetime.now(UTC))))
            case "Reconnecting":
                why = str(frame.get("reason") or "")
                await self._queue.put(ApiLink(Link(LinkState.DOWN, datetime.now(UTC), why)))
            case "Missed":
                await self._queue.put(Missed(missed_text(frame)))
            case _:
                event = happening_of(frame)
                if event is not None:
                    await self._queue.put(Happened([event]))


def _key(body: dict[str, Any]) -> Key:
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _seen(kind: Kind, bodies: Sequence[dict[str, Any]]) -> Change:
    """Objects of a later version that this one can't read are left out."""
    if kind is Kind.CONTRACTS:
        return ContractsSeen([item for item in map(_contract, bodies) if item is not None])
    return SupervisorsSeen([item for item in map(_supervisor, bodies) if item is not None])


def _contract(body: dict[str, Any]) -> Contract | None:
    try:
        return Contract.from_object(body)
    except ValidationError:
        return None


def _supervisor(body: dict[str, Any]) -> Supervisor | None:
    try:
        return Supervisor.model_validate(body)
    except ValidationError:
        return None
