"""Contracts and supervisors as they are now, drawn anew with each change: for whatever is watched as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from makima.client.cluster import Cluster, JsonObject
from makima.client.following import Change, Changed, Gone, Listed, Lost, Topic, follow_all
from makima.client.readable import contract_in, supervisor_in
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor

Key = tuple[str, str]
"""Namespace and name: of a contract, and of its supervisor, which is named like it."""

GATHER = 0.2
"""Seconds in which changes are gathered: a burst of them is one picture."""


class Picture:
    """What was told last."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self.contracts: dict[Key, Contract] = {}
        self.supervisors: dict[Key, Supervisor] = {}
        self._missing, self._lost = set(topics), dict[Topic, str]()

    @property
    def whole(self) -> bool:
        """Whether everything was listed once."""
        return not self._missing

    @property
    def lost(self) -> str | None:
        """Why it may be old; None while every watch works."""
        return next(iter(self._lost.values()), None)

    def take(self, topic: Topic, change: Change) -> None:
        """Take one change in; objects that this version of makima can't read are left out."""
        plural, place = topic
        self._lost.pop(topic, None)
        match change:
            case Lost(why):
                self._lost[topic] = why
            case Listed(bodies):
                self._missing.discard(topic)
                self._keep_only(plural, place, {_key(body) for body in bodies})
                for body in bodies:
                    self._put(plural, body)
            case Changed(body):
                self._put(plural, body)
            case Gone(body):
                self._of(plural).pop(_key(body), None)

    def _put(self, plural: str, body: JsonObject) -> None:
        if plural == "contracts":
            if (contract := contract_in(body)) is not None:
                self.contracts[_key(body)] = contract
        elif (supervisor := supervisor_in(body)) is not None:
            self.supervisors[_key(body)] = supervisor

    def _keep_only(self, plural: str, place: str | None, there: set[Key]) -> None:
        known = self._of(plural)
        for key in [key for key in known if key not in there and place in (None, key[0])]:
            del known[key]

    def _of(self, plural: str) -> dict[Key, Contract] | dict[Key, Supervisor]:
        return self.contracts if plural == "contracts" else self.supervisors


async def pictures(
    cluster: Cluster, places: Sequence[str | None], *, selector: str = "", fields: str = "", every: float
) -> AsyncGenerator[Picture, None]:
    """The same picture again and again, from when it is whole: after changes, and at least `every` so many seconds.

    Args:
        places: namespaces; None = all of them.
        selector: of contracts; likewise `fields`.

    Raises:
        Denied: this person may not look at contracts there. Supervisors are left out where they may not be seen.
    """
    contracts = {("contracts", place): {"selector": selector, "fields": fields} for place in places}
    topics = {**contracts, **{("supervisors", place): dict[str, str]() for place in places}}
    picture, changed = Picture([*topics]), asyncio.Event()

    async def draw() -> None:
        async with aclosing(follow_all(cluster, topics, spare=("supervisors",))) as changes:
            async for topic, change in changes:
                picture.take(topic, change)
                changed.set()

    drawing = asyncio.create_task(draw())
    try:
        while True:
            await _told(drawing, changed, every)
            if picture.whole or picture.lost is not None:
                yield picture
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)


async def _told(drawing: asyncio.Task[None], changed: asyncio.Event, every: float) -> None:
    """Until something changed, or this time is over."""
    waiting = asyncio.create_task(changed.wait())
    done, _ = await asyncio.wait([waiting, drawing], timeout=every, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if drawing in done:
        drawing.result()  # raises what ended it
    if waiting in done:
        await asyncio.sleep(GATHER)
    changed.clear()


def _key(body: JsonObject) -> Key:
    return body["metadata"]["namespace"], body["metadata"]["name"]
