"""`makima.stores` in dictionaries, for use cases of the API service; the real ones meet a real Postgres elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from uuid import UUID

from makima.errors import HistoryUnavailable, NotFound, OutOfSequence, Superseded
from makima.models.enums import RestorationOutcome, SupervisorState
from makima.models.history import HistoryEvent
from makima.models.supervision import (
    Beat,
    BeatOutcome,
    BeatResult,
    Remembered,
    Session,
    Span,
    StoredCheckpoint,
    StoredCommand,
    StoredMessage,
    StoredQuestion,
    StoredState,
    StoredTask,
)
from makima.models.wire.memory import AppendMessages, SaveCheckpoint, Saved, SaveState
from makima.models.wire.message import STATE_BYTES


class FakeSupervision:
    """All stores of supervisors at once: fenced like the real ones; it can be away, slow, or stop in the middle."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Session] = {}
        self.beats: list[Beat] = []
        self.groups: list[int] = []
        self.refreshed: list[Beat] = []
        self.told: list[UUID] = []
        self.steps: list[Beat] = []
        self.spans_by_start: dict[datetime, Span] = {}
        self.states: dict[UUID, StoredState] = {}
        self.conversations: dict[UUID, list[StoredMessage]] = {}
        self.checkpoints: dict[UUID, list[StoredCheckpoint]] = {}
        self.all_tasks: dict[UUID, StoredTask] = {}
        self.all_questions: dict[UUID, StoredQuestion] = {}
        self.commands: dict[UUID, StoredCommand] = {}
        self.announcements: asyncio.Queue[UUID] = asyncio.Queue()
        self.lives: asyncio.Queue[UUID] = asyncio.Queue()
        self.away = False
        self.lose_the_answer = False
        self.poison: UUID | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def _reach(self) -> None:
        await self.gate.wait()
        if self.away:
            raise HistoryUnavailable("the fake Postgres is away")

    def add(self, session: Session) -> Session:
        """A row, as if an operator or a registration had written it."""
        self.rows[session.contract_id] = session
        return session

    # SupervisorRegistry

    async def session(self, contract_id: UUID) -> Session | None:
        await self._reach()
        return self.rows.get(contract_id)

    async def sessions(self, contract_ids: Sequence[UUID]) -> Mapping[UUID, Session]:
        await self._reach()
        return {key: self.rows[key] for key in contract_ids if key in self.rows}

    async def allocate(self, session: Session, *, after: int) -> Session:
        await self._reach()
        now = self.rows.get(session.contract_id, replace(session, incarnation=0))
        if now.incarnation <= after:
            now = replace(
                now,
                task_id=session.task_id,
                incarnation=after + 1,
                registration_id=None,
                registered_at=None,
                pod_uid=None,
                host=None,
                state=SupervisorState.INITIALIZING,
                sequence=0,
            )
            self.rows[session.contract_id] = now
        return now

    async def judge(self, contract_id: UUID, incarnation: int, state: SupervisorState) -> Session:
        await self._reach()
        row = self.rows[contract_id]
        return self.add(replace(row, state=state)) if row.incarnation == incarnation else row

    async def set_pod(self, contract_id: UUID, incarnation: int, pod_uid: UUID | None) -> Session:
        await self._reach()
        self._fence(contract_id, incarnation)
        return self.add(replace(self.rows[contract_id], pod_uid=pod_uid))

    async def register(
        self, contract_id: UUID, incarnation: int, registration_id: UUID, host: str, at: datetime
    ) -> Session:
        await self._reach()
        self._fence(contract_id, incarnation)
        row = self.rows[contract_id]
        if row.registration_id not in (None, registration_id):
            raise Superseded(row.incarnation)
        return self.add(replace(row, registration_id=registration_id, host=host, registered_at=at))

    async def record_restoration(
        self, contract_id: UUID, incarnation: int, outcome: RestorationOutcome, text: str, at: datetime
    ) -> None:
        await self._reach()
        self.add(replace(self.rows[contract_id], restoration=outcome, restoration_text=text, restored_at=at))

    async def changed_since(self, moment: datetime | None) -> Sequence[Session]:
        await self._reach()
        return list(self.rows.values())

    async def changes(self) -> AsyncIterator[UUID]:
        while True:
            yield await self.lives.get()

    def _fence(self, contract_id: UUID, incarnation: int | None) -> None:
        if incarnation is None:
            return  # the operator, which ends Jobs of whichever life
        row = self.rows.get(contract_id)
        if row is None or row.incarnation != incarnation:
            raise Superseded(row.incarnation if row is not None else 0)

    # HeartbeatStore

    async def store(self, beats: Sequence[Beat]) -> Sequence[BeatResult]:
        await self._reach()
        if any(beat.contract_id == self.poison for beat in beats):
            raise ValueError("the fake Postgres will never take this")
        self.groups.append(len(beats))
        results = [self._result(beat) for beat in beats]
        stored = zip(beats, results, strict=True)
        self.beats += [beat for beat, result in stored if result.outcome is BeatOutcome.STORED]
        if self.lose_the_answer:
            raise HistoryUnavailable("the fake Postgres committed, and went away")
        return results

    def _result(self, beat: Beat) -> BeatResult:
        row = self.rows.get(beat.contract_id)
        if row is None or row.task_id != beat.task_id:
            return BeatResult(BeatOutcome.UNKNOWN)
        if row.incarnation != beat.incarnation:
            return BeatResult(BeatOutcome.SUPERSEDED, row.incarnation)
        return BeatResult(BeatOutcome.STORED, row.incarnation)

    async def refresh(
        self, beats: Sequence[Beat], *, announce: Sequence[UUID] = (), steps: Sequence[Beat] = ()
    ) -> None:
        await self._reach()
        self.refreshed += beats
        self.told += announce
        self.steps += steps

    async def newest(self, lives: Mapping[UUID, int]) -> Mapping[UUID, datetime]:
        await self._reach()
        mine = [b for b in self.beats if lives.get(b.contract_id) == b.incarnation]
        return {beat.contract_id: beat.received_at for beat in mine}

    async def last_sequences(self, lives: Mapping[UUID, int], since: datetime) -> Mapping[UUID, int]:
        await self._reach()
        mine = [b for b in self.beats if lives.get(b.contract_id) == b.incarnation and b.received_at > since]
        return {beat.contract_id: beat.sequence for beat in mine}

    async def recent(self, contract_id: UUID, limit: int) -> Sequence[Beat]:
        await self._reach()
        return [beat for beat in reversed(self.beats) if beat.contract_id == contract_id][:limit]

    async def keep_partitions(self, now: datetime) -> None:
        await self._reach()

    # MemoryStore

    async def save_state(self, contract_id: UUID, call: SaveState, at: datetime) -> Saved:
        await self._reach()
        self._fence(contract_id, call.incarnation)
        had = self.states.get(contract_id)
        last = had.revision if had is not None else 0
        if had is not None and (had.revision, had.checksum) == (call.revision, call.checksum):
            return Saved(server_time=at, last=last, duplicate=True)
        if call.revision != last + 1:
            raise OutOfSequence("revision", last)
        self.states[contract_id] = StoredState(call.incarnation, call.revision, call.payload, call.checksum, at)
        return Saved(server_time=at, last=call.revision)

    async def append_messages(self, contract_id: UUID, call: AppendMessages, at: datetime) -> Saved:
        await self._reach()
        self._fence(contract_id, call.incarnation)
        had = self.conversations.setdefault(contract_id, [])
        there = {message.sequence: message.id for message in had}
        places = dict(enumerate((message.id for message in call.messages), call.first_sequence))
        if all(there.get(place) == identifier for place, identifier in places.items()):
            return Saved(server_time=at, last=len(had), duplicate=True)
        if call.first_sequence != len(had) + 1:
            raise OutOfSequence("message", len(had))
        for place, new in enumerate(call.messages, call.first_sequence):
            had.append(StoredMessage(place, new.id, new.role, new.content, call.incarnation, new.timestamp, at))
        return Saved(server_time=at, last=len(had))

    async def save_checkpoint(self, contract_id: UUID, call: SaveCheckpoint, at: datetime) -> Saved:
        await self._reach()
        self._fence(contract_id, call.incarnation)
        had = self.checkpoints.setdefault(contract_id, [])
        if call.number != len(had) + 1:
            raise OutOfSequence("checkpoint", len(had))
        had.append(
            StoredCheckpoint(call.number, call.incarnation, call.message_sequence, call.payload, call.checksum, at)
        )
        return Saved(server_time=at, last=call.number)

    async def worked(self, contract_id: UUID) -> datetime | None:
        await self._reach()
        said = [message.created_at for message in self.conversations.get(contract_id, [])]
        state = self.states.get(contract_id)
        return max([*said, *([state.updated_at] if state is not None else [])], default=None)

    async def remembered(self, contract_id: UUID, messages: int, size: int = STATE_BYTES) -> Remembered:
        await self._reach()
        talk = self.conversations.get(contract_id, [])
        return Remembered(
            state=self.states.get(contract_id),
            checkpoints=tuple(reversed(self.checkpoints.get(contract_id, []))),
            messages=tuple(reversed(_fitting(talk[: -messages - 1 : -1], size))),
            last_message=len(talk),
            tasks=tuple(await self.tasks(contract_id)),
            questions=tuple(q for q in await self.questions(contract_id) if q.answer is None),
        )

    async def messages(
        self, contract_id: UUID, after: int, limit: int, size: int = STATE_BYTES
    ) -> Sequence[StoredMessage]:
        await self._reach()
        return _fitting([one for one in self.conversations.get(contract_id, []) if one.sequence > after][:limit], size)

    # WorkStore

    async def spawn_task(self, task: StoredTask) -> StoredTask:
        await self._reach()
        self._fence(task.contract_id, task.incarnation)
        return self.all_tasks.setdefault(task.id, task)

    async def end_task(self, task: StoredTask) -> StoredTask:
        await self._reach()
        self._fence(task.contract_id, task.incarnation)
        had = self.all_tasks.get(task.id)
        if had is None:
            raise NotFound(f"task {task.id} does not exist")
        if had.completed_at is None:
            had = replace(had, state=task.state, message=task.message, completed_at=task.completed_at)
        self.all_tasks[task.id] = had
        return had

    async def ask(self, question: StoredQuestion) -> StoredQuestion:
        await self._reach()
        self._fence(question.contract_id, question.incarnation)
        return self.all_questions.setdefault(question.id, question)

    async def answer(self, answers: Sequence[StoredQuestion]) -> None:
        await self._reach()
        for one in answers:
            if self.all_questions.get(one.id, replace(one, answer=None)).answer is None:
                self.all_questions[one.id] = one

    async def tasks(self, contract_id: UUID) -> Sequence[StoredTask]:
        await self._reach()
        return [task for task in self.all_tasks.values() if task.contract_id == contract_id]

    async def questions(self, contract_id: UUID) -> Sequence[StoredQuestion]:
        await self._reach()
        return [one for one in self.all_questions.values() if one.contract_id == contract_id]

    # CommandStore

    async def put(self, commands: Sequence[StoredCommand], events: Sequence[HistoryEvent] = ()) -> None:
        await self._reach()
        for command in commands:
            if self.commands.setdefault(command.id, command) is command:
                self.announcements.put_nowait(command.contract_id)

    async def unacknowledged(self, contract_ids: Sequence[UUID] | None) -> Sequence[StoredCommand]:
        await self._reach()
        return [c for c in self.commands.values() if contract_ids is None or c.contract_id in contract_ids]

    async def acknowledge(self, contract_id: UUID, incarnation: int, ids: Sequence[UUID], at: datetime) -> None:
        await self._reach()
        self._fence(contract_id, incarnation)
        for one in ids:
            self.commands.pop(one, None)

    async def announced(self) -> AsyncIterator[UUID]:
        while True:
            yield await self.announcements.get()

    # CoverageStore

    async def extend(self, instance: str, span: Span) -> None:
        await self._reach()
        self.spans_by_start[span.started_at] = span

    async def spans(self, since: datetime) -> Sequence[Span]:
        await self._reach()
        return [span for span in self.spans_by_start.values() if span.until_at > since]


def _fitting(messages: Sequence[StoredMessage], size: int) -> list[StoredMessage]:
    """The first of them, and those after it that have no more bytes together."""
    sums = list(accumulate(len(one.content.encode()) for one in messages))
    return [one for number, one in enumerate(messages) if number == 0 or sums[number] <= size]
