"""Everything about one contract as one value, to be kept or shown elsewhere (plan 4.4)."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeVar

from makima.models.wire.contracts import QuestionView
from makima.models.wire.history import Exported, HistoryEntry
from makima.models.wire.problem import Code
from makima.models.wire.registration import RestoredMessage
from makima.models.wire.work import TaskReport
from makima.ports import Clock, JsonObject
from makima.services.access.contract_lookup import Located
from makima.services.access.identity import Identity
from makima.services.reads.contract_reads import ContractReads
from makima.services.refusals import refusal
from makima.services.supervisor_calls.memory import PAGE as MESSAGES_PAGE
from makima.services.supervisor_calls.memory import Memory

PAGE = 500
MOST = 10_000
"""Entries of each list at most: an answer has to end."""

MOST_CHARACTERS = 16 * 1024 * 1024
"""Of the conversation."""

HIDDEN = "(hidden)"
BOOKKEEPING = ("managedFields", "selfLink")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Kind = Literal["history", "tasks", "questions", "messages"]
Entry = TypeVar("Entry")


class ContractExports:
    """Reads page after page, with a bound."""

    def __init__(self, reads: ContractReads, memory: Memory | None, clock: Clock) -> None:
        self._reads, self._memory, self._clock = reads, memory, clock

    async def export(self, identity: Identity, found: Located, *, messages: bool) -> Exported:
        """The contract, its history, tasks and questions; on request the conversation.

        Raises:
            Refused: FORBIDDEN, SUPERVISOR_NOT_FOUND: the conversation is not the caller's to read, or there is none.
            HistoryUnavailable: Postgres is away.
        """
        history, more_history = await self._history(found)
        tasks, more_tasks = await _pages(lambda cursor: self._tasks(found, cursor))
        questions, more_questions = await _pages(lambda cursor: self._questions(found, cursor))
        told, more_told = await self._messages(identity, found) if messages else (None, False)
        cut: dict[Kind, bool] = {
            "history": more_history,
            "tasks": more_tasks,
            "questions": more_questions,
            "messages": more_told,
        }
        return Exported(
            exported_at=self._clock.now(),
            contract=self._reads.detail(found),
            resource=without_secrets(found.body) if found.body is not None else None,
            history=tuple(history),
            tasks=tuple(tasks),
            questions=tuple(questions),
            messages=told,
            truncated=tuple(kind for kind, more in cut.items() if more),
        )

    async def _history(self, found: Located) -> tuple[Sequence[HistoryEntry], bool]:
        entries: list[HistoryEntry] = []
        after, more = 0, True
        while more and len(entries) < MOST:
            page = await self._reads.events(found, after, PAGE)
            entries += page.events
            after, more = page.next_after, page.more
        return entries, more

    async def _tasks(self, found: Located, cursor: str | None) -> tuple[Sequence[TaskReport], str | None]:
        page = await self._reads.tasks(found, cursor, PAGE)
        return page.tasks, page.next_cursor

    async def _questions(self, found: Located, cursor: str | None) -> tuple[Sequence[QuestionView], str | None]:
        page = await self._reads.questions(found, cursor, PAGE, only_open=False)
        return page.questions, page.next_cursor

    async def _messages(self, identity: Identity, found: Located) -> tuple[tuple[RestoredMessage, ...], bool]:
        if self._memory is None:
            raise refusal(
                Code.VALIDATION_FAILED,
                "messages: there are no supervisors here (supervisor_heartbeat is off)",
                field="messages",
                hint="leave it out",
            )
        told: list[RestoredMessage] = []
        characters, after = 0, 0
        while True:
            page = await self._memory.messages(identity, found.uid, after, MESSAGES_PAGE)
            if not page:
                return tuple(told), False
            told += page
            after, characters = page[-1].sequence, characters + sum(len(one.content) for one in page)
            if len(told) >= MOST or characters >= MOST_CHARACTERS:
                return tuple(told), True


async def _pages(
    read: Callable[[str | None], Awaitable[tuple[Sequence[Entry], str | None]]],
) -> tuple[list[Entry], bool]:
    entries: list[Entry] = []
    cursor: str | None = None
    while len(entries) < MOST:
        page, cursor = await read(cursor)
        entries += page
        if cursor is None:
            return entries, False
    return entries, True


def without_secrets(body: JsonObject) -> JsonObject:
    """The resource without bookkeeping, and without literal values of environment variables in its pod templates."""
    found = copy.deepcopy(body)
    meta = found["metadata"]
    for name in BOOKKEEPING:
        meta.pop(name, None)
    (meta.get("annotations") or {}).pop(LAST_APPLIED, None)
    _hide(found.get("spec"))
    return found


def _hide(part: Any) -> None:
    """Hide the values of every list that is named `env`, wherever it is."""
    if isinstance(part, list):
        for item in part:
            _hide(item)
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if name == "env" and isinstance(value, list):
            for variable in value:
                if isinstance(variable, dict) and "value" in variable:
                    variable["value"] = HIDDEN
        else:
            _hide(value)
