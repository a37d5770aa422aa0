"""Tasks, questions, deliverables and moves of a contract, as its supervisor reports them.

Ids come from the contract and a key, so a supervisor that was killed and does the same again repeats nothing, even
where nobody knows whether the call before its end was stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from makima.models.enums import SupervisorState
from makima.models.wire.commands import Command
from makima.models.wire.registration import Registered
from makima.models.wire.work import (
    Accepted,
    Advanced,
    AskAdvance,
    AskQuestion,
    CompleteDeliverable,
    EndTask,
    SpawnTask,
)
from makima.supervisor.picture import Picture
from makima.supervisor.transport import Transport

COMPLETED = "Completed"


@dataclass(frozen=True, slots=True)
class Task:
    """A task that was spawned; `ended` gives (state, message) once it finished, whoever ran it."""

    id: UUID
    name: str
    ended: asyncio.Future[tuple[str, str]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A question that was asked; `answer` gives what a person said, as late as that may be."""

    id: UUID
    text: str
    answer: asyncio.Future[str] = field(compare=False)


class Work:
    """Reports about the contract, without the saves that go with them."""

    def __init__(self, transport: Transport, path: str, life: Registered, picture: Picture) -> None:
        self._transport = transport
        self._path = path
        self._life = life
        self._picture = picture
        self._tasks: dict[UUID, asyncio.Future[tuple[str, str]]] = {}
        self._answers: dict[UUID, asyncio.Future[str]] = {}
        for task in life.restoration.waiting_on:
            if task.state in {"completed", "failed"}:
                self._ended(task.id).set_result((task.state, task.message or ""))

    def id_of(self, kind: str, key: str) -> UUID:
        """The id of this contract's thing with this key."""
        return uuid5(self._life.contract_id, f"{kind}:{key}")

    async def spawn(
        self, name: str, template: str | None, arguments: Sequence[str], key: str, *, deadline: float
    ) -> Task:
        """Spawn a task, once."""
        task = self.id_of("task", key)
        call = SpawnTask(
            incarnation=self._life.incarnation, id=task, name=name, template=template, arguments=tuple(arguments)
        )
        await self._accepted("/tasks", call, deadline)
        ended = self._ended(task)
        self._picture.spawned[task] = None
        if not ended.done():
            self._picture.waiting_on[task] = None
        return Task(task, name, ended)

    async def end(self, task: UUID, *, ok: bool, message: str, deadline: float) -> None:
        """A task of this supervisor's own came to its end."""
        call = EndTask(incarnation=self._life.incarnation, message=message)
        await self._accepted(f"/tasks/{task}/{'complete' if ok else 'fail'}", call, deadline)
        self.task_finished(task, "completed" if ok else "failed", message)

    async def ask(self, text: str, options: Sequence[str], key: str, *, deadline: float) -> Question:
        """Ask a person, once."""
        question = self.id_of("question", key)
        answer = self._answer(question)
        if not answer.done() and question in self._picture.answers:
            answer.set_result(self._picture.answers[question])
        if not answer.done():
            call = AskQuestion(incarnation=self._life.incarnation, id=question, text=text, options=tuple(options))
            await self._accepted("/questions", call, deadline)
        if not answer.done():
            self._picture.questions[question] = None
            self._picture.state = SupervisorState.WAITING_FOR_USER
        return Question(question, text, answer)

    async def deliver(self, phase: str, name: str, uri: str | None, digest: str | None, *, deadline: float) -> None:
        """A deliverable is there."""
        call = CompleteDeliverable(incarnation=self._life.incarnation, phase=phase, id=name, uri=uri, digest=digest)
        await self._accepted("/deliverables", call, deadline)

    async def advance(self, to: str, reason: str, *, deadline: float) -> Advanced:
        """Ask for the next phase, from the version that is known here."""
        call = AskAdvance(
            incarnation=self._life.incarnation,
            to=to,
            expected_version=self._picture.contract_version,
            reason=reason,
        )
        answer = await self._transport.post(self._path + "/advance", call, Advanced, deadline=deadline)
        self._seen(answer.version)
        if answer.outcome == "success":
            self._picture.phase, self._picture.phase_version = answer.phase, answer.version
            self._picture.completed = self._picture.completed or to == COMPLETED
        return answer

    async def learn(self, command: Command) -> None:
        """What a command says about tasks and questions; a payload that says nothing changes nothing."""
        match command.kind.snake, command.payload:
            case "answer", {"question_id": question, "answer": str(answer)}:
                self._answered(_uuid(question), answer)
            case "task_finished", {"task_id": task, "state": str(state), **rest}:
                self.task_finished(_uuid(task), state, str(rest.get("message") or ""))
            case "phase_changed", {"to": str(to), "version": int(version)}:
                self._moved(to, version)
            case "stop", {"state": "completed"}:
                self._picture.completed = True

    def task_finished(self, task: UUID | None, state: str, message: str) -> None:
        """The task is finished; who waits for it learns so."""
        if task is None:
            return
        self._picture.waiting_on.pop(task, None)
        ended = self._ended(task)
        if not ended.done():
            ended.set_result((state, message))

    def _answered(self, question: UUID | None, text: str) -> None:
        if question is None:
            return
        self._picture.questions.pop(question, None)
        self._picture.answers.setdefault(question, text)
        answer = self._answer(question)
        if not answer.done():
            answer.set_result(text)
        if not self._picture.questions and self._picture.state is SupervisorState.WAITING_FOR_USER:
            self._picture.state = SupervisorState.WORKING

    def _moved(self, to: str, version: int) -> None:
        """A move is news unless it led to where the contract was before.

        Its version may be known already: a deliverable that completes its phase moves the contract in the same one.
        """
        if version < self._picture.phase_version:
            return  # an old move, told again
        self._seen(version)
        if to == COMPLETED:
            self._picture.completed = True
        elif to != self._picture.phase:
            self._picture.phase, self._picture.phase_version, self._picture.progress = to, version, 0

    def _seen(self, version: int) -> None:
        self._picture.contract_version = max(self._picture.contract_version, version)

    async def _accepted(
        self, path: str, call: SpawnTask | EndTask | AskQuestion | CompleteDeliverable, deadline: float
    ) -> None:
        answer = await self._transport.post(self._path + path, call, Accepted, deadline=deadline)
        self._seen(answer.contract_version)

    def _ended(self, task: UUID) -> asyncio.Future[tuple[str, str]]:
        return self._tasks.setdefault(task, asyncio.get_running_loop().create_future())

    def _answer(self, question: UUID) -> asyncio.Future[str]:
        return self._answers.setdefault(question, asyncio.get_running_loop().create_future())


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
