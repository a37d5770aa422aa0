"""What a supervisor can do, for Python programs: `async with Supervisor(place) as supervisor: …`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from makima.models.enums import CommandKind, SupervisorState
from makima.models.wire.commands import Command
from makima.models.wire.memory import ConversationMessage
from makima.models.wire.work import Advanced
from makima.supervisor.confirmation import confirm_advance
from makima.supervisor.inbox import Callback
from makima.supervisor.life import Life
from makima.supervisor.work import COMPLETED, Question, Task


class Supervisor(Life):
    """One life, and what it reports.

    Every method that reports something returns once it is committed, and raises `Unreachable` if that could not be
    learnt within the patience; calling it again repeats nothing. When a newer life begins, `Superseded` ends the whole
    `async with` block, wherever it is, and nothing is sent any more.

    Attributes:
        life: ids, incarnation and periods, as registered.
        picture: what heartbeats and saves say; change it through `report`.
    """

    def on(self, kind: CommandKind, callback: Callback) -> None:
        """Let `callback` carry out commands of this kind; what it returns from is acknowledged.

        Answers, finished tasks, changed phases and `sync` are known to the library already when it is called.
        """
        self._inbox.on(kind, callback)

    def commands(self) -> AsyncIterator[Command]:
        """`pause`, `resume`, `stop` and `restart` that have no callback; asking for the next acknowledges the last."""
        return self._inbox.offered()

    def report(
        self,
        state: SupervisorState | None = None,
        *,
        activity: str | None = None,
        progress: int | None = None,
        error: str | None = None,
    ) -> None:
        """What heartbeats say from now on; a change of state is sent at once, the rest with the next one."""
        picture = self.picture
        picture.activity = picture.activity if activity is None else activity
        picture.progress = picture.progress if progress is None else progress
        picture.error = picture.error if error is None else error
        if state is not None and state is not picture.state:
            picture.state = state
            self._heartbeats.soon()

    async def save(self, *, deadline: float | None = None) -> None:
        """Save the state as it is."""
        await self._memory.save(deadline=deadline or self._patience)

    async def heartbeat(self, *, deadline: float | None = None) -> bool:
        """Send a heartbeat now; the library does so by itself.

        Returns:
            Whether it is stored; False: a newer one of this life was before it.
        """
        return await self._heartbeats.send(deadline=deadline or self._patience)

    async def checkpoint(self) -> int:
        """Keep the state to go back to should a later one turn out unreadable; gives its number."""
        return await self._memory.checkpoint(deadline=self._patience)

    async def on_llm_response(self, text: str, *, role: str = "assistant", key: str | None = None) -> None:
        """A message of the conversation: appended, and the state saved.

        Args:
            text: the message, or JSON as text.
            role: assistant, user, tool, …
            key: the caller's name for it; one that was appended before is not appended again.
        """
        name = uuid4() if key is None else self._work.id_of("message", key)
        message = ConversationMessage(id=name, role=role, content=text, timestamp=datetime.now(UTC))
        await self._memory.remember([message], deadline=self._patience)

    async def spawn_task(
        self, name: str, *, template: str | None = None, arguments: Sequence[str] = (), key: str | None = None
    ) -> Task:
        """A new task in the current phase; with a `template` a Job runs it, else the caller does and reports its end.

        Args:
            name: what gates call it.
            template: one of the contract's taskTemplates.
            arguments: for the Job.
            key: the caller's name for it; default: phase and name. The same key again is the same task.
        """
        spawned = await self._work.spawn(
            name, template, arguments, key or f"{self.picture.phase}/{name}", deadline=self._patience
        )
        await self.save()
        self._heartbeats.soon()
        return spawned

    async def complete_task(self, task: UUID, message: str = "") -> None:
        """A task without template ended well."""
        await self.end_task(task, ok=True, message=message)

    async def fail_task(self, task: UUID, message: str = "") -> None:
        """A task without template failed."""
        await self.end_task(task, ok=False, message=message)

    async def end_task(self, task: UUID, *, ok: bool, message: str = "") -> None:
        """A task without template came to its end."""
        await self._work.end(task, ok=ok, message=message, deadline=self._patience)
        await self.save()

    def task_id(self, key: str) -> UUID:
        """The id of the task with this key."""
        return self._work.id_of("task", key)

    def question_id(self, key: str) -> UUID:
        """The id of the question with this key."""
        return self._work.id_of("question", key)

    async def ask_question(self, text: str, options: Sequence[str] = (), *, key: str | None = None) -> Question:
        """Ask a person; returns once it is asked, and `answer` of the result can be awaited.

        The same key (default: phase, text and options) again is the same question; its answer stays known.
        """
        named = key or "/".join((self.picture.phase, text, *options))
        question = await self._work.ask(text, options, named, deadline=self._patience)
        await self.save()
        self._heartbeats.soon()
        return question

    async def complete_deliverable(
        self, name: str, *, phase: str | None = None, uri: str | None = None, digest: str | None = None
    ) -> None:
        """A deliverable is there; default: one of the current phase."""
        await self._work.deliver(phase or self.picture.phase, name, uri, digest, deadline=self._patience)

    async def ask_advance(self, to: str, *, reason: str = "", wait_seconds: float | None = None) -> Advanced:
        """Ask for the next phase, or `Completed`.

        Where a person has to confirm, the state becomes WaitingForUser and this waits for the move.

        Args:
            to: the phase.
            reason: for whoever looks at it later.
            wait_seconds: longest wait for a confirmation; None: as long as it takes; 0: not at all.

        Returns:
            What became of it; `requires_confirmation` only if nobody confirmed within `wait_seconds`.
        """
        answer = await self._work.advance(to, reason, deadline=self._patience)
        if answer.outcome == "requires_confirmation" and wait_seconds != 0:
            answer = await self._confirmed(answer, to, wait_seconds)
        elif answer.outcome == "version_conflict" and self._is_in(to):
            answer = answer.model_copy(update={"outcome": "success", "phase": to, "message": "it is there already"})
        await self.save()
        return answer

    async def confirm_advance(
        self, to: str, *, reason: str = "", kubeconfig: Path | None = None, context: str | None = None
    ) -> None:
        """Confirm a guarded move with this program's own Kubernetes credentials (needs the verb `confirm`).

        Raises:
            makima.errors.Denied: it may not, or the contract changed meanwhile.
        """
        version = self.picture.contract_version
        await confirm_advance(
            self.place.namespace,
            self.place.name,
            to=to,
            expected_version=version,
            reason=reason,
            kubeconfig=kubeconfig,
            context=context,
        )

    async def settled(self, *, deadline: float) -> None:
        """Wait until every command that came is carried out and acknowledged, at most so long."""
        await self._inbox.settled(deadline)

    def knows(self, key: str) -> bool:
        """Whether a message with this key was appended before."""
        return self._memory.knows(self._work.id_of("message", key))

    def _is_in(self, to: str) -> bool:
        return self.picture.completed if to == COMPLETED else self.picture.phase == to

    async def _confirmed(self, answer: Advanced, to: str, seconds: float | None) -> Advanced:
        before = self.picture.state
        self.report(SupervisorState.WAITING_FOR_USER)
        await self.save()
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._is_in(to))
        except TimeoutError:
            return answer
        self.report(before)
        moved = {"outcome": "success", "version": self.picture.contract_version, "message": "confirmed"}
        return answer.model_copy(update=moved if to == COMPLETED else {**moved, "phase": to})
