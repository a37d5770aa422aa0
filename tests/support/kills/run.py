"""One run of a contract as it is seen between its supervisor and the API service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.support.kills.plans import BACKGROUND, POINTS, Kill, Victim

STEPS = [point for point in POINTS if not point.startswith(("register", "state", "heartbeat", "acknowledge"))]
"""What a life does one after the other; a state is saved after each."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a supervisor.

    Attributes:
        path: with its query.
        life: incarnation that it was made in; None where it does not say.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    life: int | None
    content: Any

    @classmethod
    def read(cls, method: str, path: str, headers: dict[str, str], body: bytes) -> Call:
        """What was sent."""
        content = json.loads(body) if body else {}
        return cls(method, path, headers, body, content.get("incarnation"), content)


@dataclass
class Run:
    """What happened to one contract.

    Attributes:
        kills: what is still to come, in order.
        acknowledged: texts of messages that the agent knows to be stored.
        late: calls of lives that were killed, to be delivered when a newer life has registered.
        refusals: HTTP statuses that calls of older lives got, with what they were.
        lives: incarnations that registered, in order.
        headers: of the last call of each life, its token among them.
        ended: the supervisor was killed then (as what, `time.monotonic()`), and has not registered since.
        over: lives that were killed.
        at_rest: set while nobody is being killed at a call of this run.
    """

    name: str
    contract_id: UUID
    kills: list[Kill]
    done: list[Kill] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    late: list[Call] = field(default_factory=list)
    refusals: list[tuple[str, int]] = field(default_factory=list)
    lives: list[int] = field(default_factory=list)
    headers: dict[int, dict[str, str]] = field(default_factory=dict)
    ended: tuple[Victim, float] | None = None
    over: set[int] = field(default_factory=set)
    at_rest: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0
    _last: dict[int | None, str] = field(default_factory=dict)
    _killing: Kill | None = None
    _ending: int | None = None

    def __post_init__(self) -> None:
        self.at_rest.set()

    def point(self, call: Call) -> str:
        """What the call is, in the words of `plans.POINTS`."""
        return _point(call, self._last.get(call.life, "register"))

    async def due(self, point: str, life: int | None) -> Kill | None:
        """The kill that belongs here; it is due once, and `done_with` has to be called for it.

        One after the other: a call that would bring the next one waits for the end of the one before. So does a
        repetition of the call that somebody is being killed at: if that was not taken, the kill comes with this one.
        And at a call for which the life does not wait, its others do: a pod takes seconds to die, in which it could do
        all the rest, so that no life followed.
        """
        while (self._belongs(point) or self._repeats(point) or self._overtakes(life)) and not self.at_rest.is_set():
            await self.at_rest.wait()
        if not self._belongs(point):
            return None
        self.at_rest.clear()
        self._ending = life if point in BACKGROUND else None
        self._killing = self.kills.pop(0)
        return self._killing

    def _overtakes(self, life: int | None) -> bool:
        return life is not None and life == self._ending

    def _belongs(self, point: str) -> bool:
        return bool(self.kills) and self.kills[0].point == point

    def _repeats(self, point: str) -> bool:
        return self._killing is not None and self._killing.point == point

    def done_with(self, kill: Kill, life: int | None, *, happened: bool) -> None:
        """The victim is dead; or the call was not taken, and the kill comes with its repetition."""
        if not happened:
            self.kills.insert(0, kill)
        elif kill.takes_the_life and life is not None:
            self.over.add(life)
        self._killing = None
        self.at_rest.set()

    def took(self, call: Call, point: str, status: int) -> None:
        """The call was answered; perhaps later than what its life did next, after a repetition of it."""
        before = self._last.get(call.life)
        if status < 300 and point in STEPS and (before is None or STEPS.index(before) < STEPS.index(point)):
            self._last[call.life] = point
        if call.life is not None:
            self.headers[call.life] = call.headers


def _point(call: Call, last: str) -> str:
    path = call.path.partition("?")[0]
    words: Sequence[str] = path.removeprefix("/api/v1/").split("/")
    match [call.method, *words]:
        case ["POST", "supervisors", "register"]:
            return "register"
        case ["PUT", "contracts", _, "supervisor", "state"]:
            return f"state after {last}"
        case ["POST", "contracts", _, "supervisor", *rest]:
            return _report(rest, call.content)
    return "other"


def _report(rest: Sequence[str], content: Any) -> str:
    if rest[:1] == ["messages"]:
        return f"message {content['messages'][0]['content'].split()[0]}"
    if rest[1:2] == ["acknowledge"]:
        return "acknowledge"
    if len(rest) == 3:
        return "end task"
    names = {
        "tasks": ("spawn", "name"),
        "questions": ("ask", ""),
        "deliverables": ("deliver", "id"),
        "advance": ("advance", "to"),
        "checkpoints": ("checkpoint", ""),
        "heartbeat": ("heartbeat in", "phase"),
    }
    word, field_name = names.get(rest[0], ("other", ""))
    return f"{word} {content[field_name]}" if field_name else word
