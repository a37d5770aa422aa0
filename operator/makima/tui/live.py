"""The world by a kubeconfig: contracts and supervisors by watch, events and heartbeats from makima's API.

Whatever breaks is taken up again and said in the status line; only a person who may not look at all ends the monitor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from makima.client import Person
from makima.client.api import NEWEST
from makima.client.following import FORBIDDEN, Changed, Gone, Lost, follow
from makima.client.following import Change as KubeChange
from makima.client.following import Listed as KubeListed
from makima.client.merging import merged
from makima.client.readable import contract_in, supervisor_in
from makima.client.stream import Filter, Frame
from makima.client.streams import Away, Monitors
from makima.client.wishes import Wishes
from makima.errors import Denied
from makima.models.contract import Contract
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

PART = 200
"""Contracts read at a time: in between, keys are answered."""


class LiveSource:
    """The source of the monitor.

    Attributes:
        namespaces: to look in; None = in all.
        selector: labels that contracts have to have; "" = any.
    """

    def __init__(self, person: Person, namespaces: Sequence[str] | None, selector: str = "") -> None:
        self._person, self.namespaces, self.selector = person, namespaces, selector
        self._kube: dict[tuple[Kind, str | None], str | None] = {}
        self._hidden: list[str] = []

    async def changes(self) -> AsyncIterator[Change]:
        """What is so, then every change.

        Raises:
            MakimaError: this person may not look there, or the cluster does not know makima.
        """
        places: Sequence[str | None] = (None,) if self.namespaces is None else self.namespaces
        watches = [self._watch(kind, place) for kind in Kind for place in places]
        async with aclosing(merged([*watches, self._listen()])) as told:
            async for change in told:
                yield change

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

    async def _watch(self, kind: Kind, place: str | None) -> AsyncGenerator[Change, None]:
        """What the person may see of it: of supervisors, and of one namespace of several, that may be nothing."""
        try:
            async with aclosing(self._watched(kind, place)) as changes:
                async for change in changes:
                    yield change
        except Denied as error:
            spare = kind is Kind.SUPERVISORS or (self.namespaces is not None and len(self.namespaces) > 1)
            if error.status != FORBIDDEN or not spare:
                raise
            yield Listed(kind, frozenset(), place)
            for told in self._link(kind, place, None, f"you may not see {kind}{f' in {place}' if place else ''}"):
                yield told

    async def _watched(self, kind: Kind, place: str | None) -> AsyncGenerator[Change, None]:
        labels = self.selector if kind is Kind.CONTRACTS else ""
        async with aclosing(follow(self._person.cluster, kind.value, place, selector=labels)) as changes:
            async for change in changes:
                for told in _read(kind, place, change):
                    yield told
                    await asyncio.sleep(0)
                for told in self._link(kind, place, change.why if isinstance(change, Lost) else None):
                    yield told

    def _link(self, kind: Kind, place: str | None, problem: str | None, hidden: str = "") -> list[Change]:
        """The watch is live if every part of it is; said when it changes."""
        before = self._state()
        self._kube[kind, place] = problem
        self._hidden += [hidden] if hidden else []
        now = self._state()
        if now == before:
            return []
        live, why = now
        return [KubeLink(Link(LinkState.LIVE if live else LinkState.DOWN, datetime.now(UTC), why))]

    def _state(self) -> tuple[bool, str]:
        parts = len(Kind) * (1 if self.namespaces is None else len(self.namespaces))
        problems = [why for why in self._kube.values() if why is not None]
        live = len(self._kube) == parts and not problems
        return live, problems[0] if problems else "; ".join(self._hidden) if live else ""

    async def _listen(self) -> AsyncGenerator[Change, None]:
        """The monitor stream, for ever: an API that is away, or refuses, is asked again now and then."""
        named, api = self.namespaces, self._person.api
        if not api.aggregated and named is not None and len(named) > NAMESPACES:
            named = None  # of so many, events of others are not shown for want of a row
        monitors = Monitors(api, Filter(include_heartbeats=True), None, named)
        async with aclosing(monitors.for_ever()) as frames:
            async for frame in frames:
                change = _told(frame)
                if change is not None:
                    yield change


def _read(kind: Kind, place: str | None, change: KubeChange) -> Iterator[Change]:
    """What a change of the watch says of objects."""
    match change:
        case KubeListed(bodies):
            for start in range(0, len(bodies), PART):
                yield _seen(kind, bodies[start : start + PART])
            yield Listed(kind, frozenset(map(_key, bodies)), place)
        case Changed(body):
            yield _seen(kind, [body])
        case Gone(body):
            yield ContractGone(_key(body)) if kind is Kind.CONTRACTS else SupervisorGone(_key(body))
        case Lost():
            pass


def _told(frame: Frame | Away) -> Change | None:
    """What a frame of the monitor stream says; None = nothing that is shown."""
    if isinstance(frame, Away):
        return ApiLink(Link(LinkState.DOWN, datetime.now(UTC), frame.error.message))
    match frame.get("type"):
        case "Subscribed":
            return ApiLink(Link(LinkState.LIVE, datetime.now(UTC)))
        case "Reconnecting":
            return ApiLink(Link(LinkState.DOWN, datetime.now(UTC), str(frame.get("reason") or "")))
        case "Missed":
            return Missed(missed_text(frame))
        case _:
            event = happening_of(frame)
            return Happened([event]) if event is not None else None


def _key(body: dict[str, Any]) -> Key:
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _seen(kind: Kind, bodies: Sequence[dict[str, Any]]) -> Change:
    """Objects of a later version that this one can't read are left out."""
    if kind is Kind.CONTRACTS:
        return ContractsSeen([item for item in map(contract_in, bodies) if item is not None])
    return SupervisorsSeen([item for item in map(supervisor_in, bodies) if item is not None])
