"""The API service as supervisors see it, in memory on loopback: ADR 0006 for one contract, with faults at will.

It is stricter than it is real: every number has to follow the last one, every body is read with the wire's own models.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from aiohttp import web

from makima.models.enums import CommandKind, RestorationOutcome
from makima.models.wire.commands import Acknowledge, Command, CommandList
from makima.models.wire.heartbeat import Heartbeat, HeartbeatAnswer
from makima.models.wire.memory import AppendMessages, SaveCheckpoint, Saved, SavedState, SaveState, checksum
from makima.models.wire.message import Fenced, Message
from makima.models.wire.problem import Code, ErrorEnvelope, Problem
from makima.models.wire.registration import Register, Registered, Restoration, RestoredMessage
from makima.models.wire.work import (
    Accepted,
    Advanced,
    AskAdvance,
    AskedQuestion,
    AskQuestion,
    CompleteDeliverable,
    EndTask,
    SpawnTask,
    TaskReport,
)

Call = TypeVar("Call", bound=Message)


class Problematic(Exception):
    """A call is refused."""

    def __init__(self, code: Code, message: str = "", **details: Any) -> None:
        self.problem = Problem(code=code, message=message or code, details=details)


@dataclass
class Fault:
    """What happens to a call: nothing is done ("before"), or it is done and the answer is lost ("after").

    Attributes:
        times: how often; afterwards all is well.
        status: HTTP status that is answered; 0: the connection is dropped.
        delay: seconds before it is carried out.
    """

    call: str
    times: int = 1
    status: int = 0
    when: str = "before"
    delay: float = 0


@dataclass
class ApiDouble:
    """Everything that was reported, and what supervisors are told."""

    phases: tuple[str, ...] = ("plan", "execute")
    heartbeat_seconds: float = 0.2
    guarded: bool = False
    token: str | None = None
    contract_id: UUID = field(default_factory=uuid4)
    task_id: UUID = field(default_factory=uuid4)
    incarnation: int = 0
    registration_id: UUID | None = None
    phase: str = "plan"
    version: int = 1
    state: SaveState | None = None
    messages: list[Any] = field(default_factory=list)
    checkpoints: list[SaveCheckpoint] = field(default_factory=list)
    beats: list[Heartbeat] = field(default_factory=list)
    tasks: dict[UUID, TaskReport] = field(default_factory=dict)
    questions: dict[UUID, AskedQuestion] = field(default_factory=dict)
    deliverables: list[tuple[str, str]] = field(default_factory=list)
    commands: dict[UUID, Command] = field(default_factory=dict)
    acknowledged: list[UUID] = field(default_factory=list)
    calls: list[tuple[str, int]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    stored: Callable[[str, str], Awaitable[None]] | None = None
    """Called with (call, "before" | "after") around each call; the answer is sent after it returned."""
    url: str = ""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def saved(self) -> SavedState:
        """The state that was saved last."""
        assert self.state is not None
        return SavedState.model_validate_json(self.state.payload)

    @property
    def conversation(self) -> list[tuple[str, str]]:
        """(role, text) of every message, in order."""
        return [(message.role, message.content) for message in self.messages]

    def said(self, role: str = "assistant") -> list[str]:
        """Texts of the messages with this role."""
        return [text for who, text in self.conversation if who == role]

    def tell(self, kind: CommandKind, **payload: Any) -> UUID:
        """A command for the supervisor."""
        command = Command(id=uuid4(), kind=kind, payload=payload, created_at=datetime.now(UTC))
        self.commands[command.id] = command
        self._news.set()
        return command.id

    def answer(self, question: UUID, text: str) -> UUID:
        """A person answers."""
        asked = self.questions[question]
        self.questions[question] = asked.model_copy(update={"answer": text, "answered_at": datetime.now(UTC)})
        return self.tell(CommandKind.ANSWER, question_id=str(question), answer=text)

    def move(self, to: str) -> UUID:
        """The contract moves on."""
        before, self.phase, self.version = self.phase, to, self.version + 1
        return self.tell(CommandKind.PHASE_CHANGED, **{"from": before, "to": to, "version": self.version})

    def supersede(self) -> None:
        """A newer life begins elsewhere."""
        self.incarnation += 1
        self.registration_id = uuid4()

    async def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[ApiDouble]:
        """Listen on loopback."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        name = _name(request)
        body = await request.read()
        fault = next((each for each in self.faults if each.call in (name, "*") and each.times > 0), None)
        if fault is not None:
            fault.times -= 1
            await asyncio.sleep(fault.delay)
            if fault.when == "before" and (fault.status or not fault.delay):
                return self._broken(request, fault)
        if self.stored is not None:
            await self.stored(name, "before")
        try:
            answer: web.StreamResponse = _json(await self._do(request, name, body))
        except Problematic as error:
            answer = _json(ErrorEnvelope(error=error.problem), error.problem.code.http_status)
        if self.stored is not None:
            await self.stored(name, "after")
        if fault is not None and fault.when == "after":
            return self._broken(request, fault)
        return answer

    def _broken(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.status:
            return _json(ErrorEnvelope(error=Problem(code=Code.UNAVAILABLE, message="a fault")), fault.status)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _do(self, request: web.Request, name: str, body: bytes) -> Message:
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Problematic(Code.UNAUTHENTICATED)
        if name == "register":
            return self._registered(Register.model_validate_json(body))
        if request.match_info["path"].split("/")[3] != str(self.contract_id):
            raise Problematic(Code.CONTRACT_NOT_FOUND)
        if name == "commands":
            return await self._poll(float(request.query.get("wait", "0")))
        kind, carry_out = CALLS[name]
        call = kind.model_validate_json(body)
        self.calls.append((name, call.incarnation))
        if call.incarnation != self.incarnation:
            raise Problematic(Code.SUPERSEDED, current=self.incarnation)
        done: Message = carry_out(self, call, request)
        return done

    def _registered(self, call: Register) -> Registered:
        if call.registration_id != self.registration_id:
            alive = self.registration_id is not None and self.beats and self.beats[-1].state.snake not in OVER
            if call.incarnation is not None:
                self.incarnation = max(self.incarnation, call.incarnation)
                if call.incarnation < self.incarnation:
                    raise Problematic(Code.SUPERSEDED, current=self.incarnation)
            elif alive and not call.take_over:
                raise Problematic(Code.CONFLICT, "another supervisor lives", current=self.incarnation)
            else:
                self.incarnation += 1
            self.registration_id = call.registration_id
        return Registered(
            server_time=datetime.now(UTC),
            contract_id=self.contract_id,
            task_id=self.task_id,
            incarnation=self.incarnation,
            phase=self.phase,
            contract_version=self.version,
            heartbeat_interval_seconds=self.heartbeat_seconds,
            heartbeat_timeout_seconds=10 * self.heartbeat_seconds,
            restoration=self._restoration(),
            commands=self._open(),
        )

    def _restoration(self) -> Restoration:
        saved = self.saved if self.state is not None else None
        open_questions = tuple(question for question in self.questions.values() if question.answer is None)
        waited = saved.waiting_on_task_ids if saved is not None else ()
        return Restoration(
            outcome=RestorationOutcome.RESUMED if saved is not None else RestorationOutcome.FRESH,
            reason="as the double found it",
            state=saved,
            revision=self.state.revision if self.state is not None else 0,
            message_sequence=len(self.messages),
            messages=tuple(
                RestoredMessage(**message.model_dump(), sequence=place)
                for place, message in enumerate(self.messages, start=1)
            ),
            checkpoint=len(self.checkpoints),
            questions=open_questions,
            waiting_on=tuple(self.tasks[task] for task in waited if task in self.tasks),
        )

    def _open(self) -> tuple[Command, ...]:
        return tuple(command for command in self.commands.values() if command.id not in self.acknowledged)

    async def _poll(self, seconds: float) -> CommandList:
        if not self._open():
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return CommandList()
        return CommandList(commands=self._open())

    def _beat(self, call: Heartbeat, _: web.Request) -> Message:
        known = [beat.sequence for beat in self.beats if beat.incarnation == call.incarnation]
        duplicate = call.sequence in known
        if not duplicate:
            self.beats.append(call)
        result = "duplicate" if duplicate else "stored"
        return HeartbeatAnswer(
            server_time=datetime.now(UTC), result=result, sequence=call.sequence, commands=self._open()
        )

    def _save(self, call: SaveState, _: web.Request) -> Message:
        assert checksum(call.payload) == call.checksum
        last = self.state.revision if self.state is not None else 0
        same = self.state is not None and (call.revision, call.checksum) == (last, self.state.checksum)
        if not same and call.revision != last + 1:
            raise Problematic(Code.CONFLICT, f"the next revision is {last + 1}", last=last)
        self.state = call
        return _saved(call.revision, duplicate=same)

    def _append(self, call: AppendMessages, _: web.Request) -> Message:
        begin = call.first_sequence - 1
        there = [message.id for message in self.messages[begin : begin + len(call.messages)]]
        if there == [message.id for message in call.messages]:
            return _saved(len(self.messages), duplicate=True)
        if begin != len(self.messages):
            raise Problematic(Code.CONFLICT, f"the next message is {len(self.messages) + 1}", last=len(self.messages))
        assert not {message.id for message in call.messages} & {message.id for message in self.messages}
        self.messages += call.messages
        return _saved(len(self.messages))

    def _checkpoint(self, call: SaveCheckpoint, _: web.Request) -> Message:
        assert checksum(call.payload) == call.checksum
        if call.number == len(self.checkpoints) and self.checkpoints[-1].checksum == call.checksum:
            return _saved(call.number, duplicate=True)
        if call.number != len(self.checkpoints) + 1:
            raise Problematic(Code.CONFLICT, last=len(self.checkpoints))
        self.checkpoints.append(call)
        return _saved(call.number)

    def _spawn(self, call: SpawnTask, _: web.Request) -> Message:
        if call.id in self.tasks:
            return self._accepted(duplicate=True)
        self.tasks[call.id] = TaskReport(
            id=call.id,
            name=call.name,
            phase=self.phase,
            state="running",
            template=call.template,
            created_at=datetime.now(UTC),
        )
        return self._accepted()

    def _end(self, call: EndTask, request: web.Request) -> Message:
        *_, task_id, verb = request.match_info["path"].split("/")
        task = self.tasks.get(UUID(task_id))
        if task is None:
            raise Problematic(Code.NOT_FOUND)
        state = "completed" if verb == "complete" else "failed"
        changes = {"state": state, "message": call.message, "completed_at": datetime.now(UTC)}
        self.tasks[task.id] = task.model_copy(update=changes)
        return self._accepted(duplicate=task.completed_at is not None)

    def _ask(self, call: AskQuestion, _: web.Request) -> Message:
        if call.id in self.questions:
            return self._accepted(duplicate=True)
        self.questions[call.id] = AskedQuestion(
            id=call.id, text=call.text, options=call.options, asked_at=datetime.now(UTC)
        )
        return self._accepted()

    def _deliver(self, call: CompleteDeliverable, _: web.Request) -> Message:
        if (call.phase, call.id) in self.deliverables:
            return self._accepted(duplicate=True)
        self.deliverables.append((call.phase, call.id))
        self.version += 1
        return self._accepted()

    def _advance(self, call: AskAdvance, _: web.Request) -> Message:
        outcome = "success"
        if call.expected_version != self.version:
            outcome = "version_conflict"
        elif self.guarded:
            outcome = "requires_confirmation"
        else:
            self.move(call.to)
        return Advanced.model_validate(
            {
                "server_time": datetime.now(UTC),
                "outcome": outcome,
                "phase": self.phase,
                "version": self.version,
                "deliverables": [name for _, name in self.deliverables],
            }
        )

    def _acknowledge(self, call: Acknowledge, _: web.Request) -> Message:
        self.acknowledged += call.command_ids
        return CommandList(commands=self._open())

    def _accepted(self, *, duplicate: bool = False) -> Accepted:
        return Accepted(server_time=datetime.now(UTC), contract_version=self.version, duplicate=duplicate)


OVER = {"completed", "failed", "interrupted"}
CALLS: dict[str, tuple[type[Fenced], Callable[..., Message]]] = {
    "heartbeat": (Heartbeat, ApiDouble._beat),
    "state": (SaveState, ApiDouble._save),
    "messages": (AppendMessages, ApiDouble._append),
    "checkpoints": (SaveCheckpoint, ApiDouble._checkpoint),
    "tasks": (SpawnTask, ApiDouble._spawn),
    "task_end": (EndTask, ApiDouble._end),
    "questions": (AskQuestion, ApiDouble._ask),
    "deliverables": (CompleteDeliverable, ApiDouble._deliver),
    "advance": (AskAdvance, ApiDouble._advance),
    "acknowledge": (Acknowledge, ApiDouble._acknowledge),
}


def _name(request: web.Request) -> str:
    last = request.match_info["path"].split("/")[-1]
    return "task_end" if last in {"complete", "fail"} else last


def _saved(last: int, *, duplicate: bool = False) -> Saved:
    return Saved(server_time=datetime.now(UTC), last=last, duplicate=duplicate)


def _json(body: Message, status: int = 200) -> web.Response:
    return web.Response(text=body.model_dump_json(exclude_none=True), status=status, content_type="application/json")
