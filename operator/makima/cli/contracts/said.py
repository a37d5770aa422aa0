"""What a supervisor said, as makima saved it: its conversation, and the activity that its heartbeats told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from makima.cli.contracts.call import Call
from makima.cli.contracts.selecting import one
from makima.cli.contracts.text import plain
from makima.cli.times import utc
from makima.client import Person
from makima.client.api import ApiUnreachable
from makima.client.finding import ContractNotFound
from makima.domain.reconcile.states import FINISHED
from makima.errors import ClusterUnavailable
from makima.models.contract import Contract

JsonObject = dict[str, Any]

PAGE = 100
BEATS = 1000
"""Heartbeats of the first look: as many as the API tells at once."""

FEW = 20
"""Heartbeats of each further look, unless more came since the last one."""

EVERY = 2.0
"""Seconds between two looks for more."""


class Said(Protocol):
    """Something that a supervisor goes on saying."""

    async def new(self) -> list[str]:
        """Lines since the last look, oldest first; at the first one all that there are."""


class Conversation:
    """The saved messages."""

    def __init__(self, person: Person, contract: Contract) -> None:
        self._api, self._after = person.api, 0
        self._path = person.api.contract(contract.metadata.namespace, contract.metadata.name, "supervisor/messages")

    async def new(self) -> list[str]:
        """A line for each message; a look that was cut off is made again from where the last one ended."""
        lines, after = list[str](), self._after
        while page := (await self._api.get(self._path, after=str(after), limit=str(PAGE))).get("messages"):
            lines += [f"{message['sequence']} {message.get('role', '')}: {_content(message)}" for message in page]
            after = max(int(message["sequence"]) for message in page)
        self._after = after
        return lines


class Activity:
    """What heartbeats told, each change once."""

    def __init__(self, person: Person, contract: Contract) -> None:
        self._api, self._until = person.api, datetime.min.replace(tzinfo=UTC)
        self._path = person.api.contract(contract.metadata.namespace, contract.metadata.name, "supervisor/heartbeats")
        self._last: tuple[Any, ...] = ()

    async def new(self) -> list[str]:
        """A line for each change."""
        beats = await self._newest(FEW if self._last else BEATS)
        if len(beats) == FEW and _at(beats[-1]) > self._until:
            beats = await self._newest(BEATS)
        return [line for beat in reversed(beats) if (line := self._line(beat)) is not None]

    async def _newest(self, limit: int) -> list[JsonObject]:
        found: list[JsonObject] = (await self._api.get(self._path, limit=str(limit))).get("heartbeats") or []
        return found

    def _line(self, beat: JsonObject) -> str | None:
        at = _at(beat)
        said = (beat.get("state"), beat.get("activity"), beat.get("progress"))
        if at <= self._until:
            return None
        before, self._until, self._last = self._last, at, said
        return f"{utc(str(beat['timestamp']))} {said[0]} {said[2]}%: {said[1]}" if said != before else None


def _at(beat: JsonObject) -> datetime:
    return datetime.fromisoformat(beat["timestamp"])


def _content(message: JsonObject) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def say(call: Call, lines: Sequence[str], tail: int | None = None) -> None:
    """Write them, or the last ones."""
    for line in lines if tail is None else lines[max(0, len(lines) - tail) :]:
        call.screen.say(plain(line))


async def follow(person: Person, call: Call, contract: Contract, sources: Sequence[Said]) -> None:
    """Write what is new, again and again, until the contract is over or gone."""
    lost, more = "", True
    while more:
        await asyncio.sleep(EVERY)
        try:
            more = await under_way(person, contract)  # looked at first: its last words are read after it
            for source in sources:
                say(call, await source.new())
            lost = ""
        except (ApiUnreachable, ClusterUnavailable) as error:
            if lost != error.message:
                call.screen.note(f"note: {plain(error.message)}; trying again")
            lost, more = error.message, True


async def under_way(person: Person, contract: Contract) -> bool:
    """Whether more may come: it is there, and not finished."""
    try:
        seen = await one(person, f"{contract.metadata.namespace}/{contract.metadata.name}")
    except ContractNotFound:
        return False
    return seen.status is not None and seen.status.state not in FINISHED
