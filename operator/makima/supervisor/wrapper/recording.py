"""From what a program's lines mean to what the contract knows: messages are save points, tools and words activity."""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from makima.models.enums import SupervisorState
from makima.supervisor.client import Supervisor
from makima.supervisor.dialects.events import (
    AdvanceWanted,
    Asked,
    Conversation,
    Delivered,
    Doing,
    Event,
    Progressed,
    Said,
    TaskEnded,
    TaskSpawned,
    ToolClosed,
    ToolOpened,
    Trouble,
    TurnEnded,
)
from makima.supervisor.dialects.programs import Program
from makima.supervisor.errors import Refused, Unreachable
from makima.supervisor.picture import ANSWERS, keep_newest
from makima.supervisor.work import Question
from makima.supervisor.wrapper.locks import LockedFile

log = logging.getLogger(__name__)

ASKED = "asked"
CONVERSATION = "conversation"
OPEN_CALL = 1024


@dataclass
class Recorder:
    """Takes a program's lines, in order; the next one is not read before the last one's save is committed.

    So a program waits when the API service is away, once its pipe is full, rather than run ahead of what is saved.

    Attributes:
        claim: locks a conversation for this process; called when a new one begins.
        garbage: lines that are none of the program's.
        said_done: the last turn ended well, in the program's own words.
        failed: what the program said went wrong with its turn.
        progressed: something was said or done in this turn.
        unconfirmed: the phase that it asked for, while a person has to confirm.
    """

    supervisor: Supervisor
    program: Program
    claim: Callable[[str], LockedFile]
    garbage: int = 0
    said_done: bool = False
    failed: str | None = None
    progressed: bool = False
    unconfirmed: str | None = None
    _lock: LockedFile | None = None
    _messages: int = 0
    _open: dict[str, str] = field(default_factory=dict)

    def begin_turn(self) -> None:
        """Another turn begins."""
        self.said_done, self.failed, self.progressed = False, None, False
        self._open.clear()
        self.supervisor.picture.open_tool_call = None

    async def take(self, line: bytes) -> None:
        """What one line says."""
        events = self.program.parse(line)
        if events is None:
            self.garbage += 1
            return
        for event in events:
            await self._record(event)

    async def said(self, text: str, *, role: str = "assistant", key: str | None = None) -> None:
        """A message; without a key every one is new."""
        self._messages += 1
        life = self.supervisor.life.incarnation
        named = f"said:{key}" if key is not None else f"life:{life}:{self._messages}"
        await self._until_stored(lambda: self.supervisor.on_llm_response(text, role=role, key=named))

    async def save(self) -> None:
        """Save the state."""
        await self._until_stored(self.supervisor.save)

    def hold(self, conversation: str) -> None:
        """Be the only writer of this conversation on this host.

        Raises:
            Held: somebody else is.
        """
        if self._lock is not None:
            self._lock.release()
        self._lock = self.claim(conversation)
        self._lock.note(contract=self.supervisor.place.contract)

    def waits_for_confirmation(self, phase: str | None) -> None:
        """The program asked for this phase, and a person has to confirm it; None: nobody has to any more."""
        self.unconfirmed = phase

    def release(self) -> None:
        """Let others have the conversation."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def _record(self, event: Event) -> None:
        match event:
            case Conversation():
                await self._conversation(event.id)
            case Said():
                self.progressed = True
                await self.said(event.text, key=event.key)
            case ToolOpened():
                await self._opened(event)
            case ToolClosed():
                self._open.pop(event.call, None)
                self.supervisor.picture.open_tool_call = next(reversed(self._open.values()), None)
            case Doing():
                self.supervisor.report(activity=event.text)
            case TurnEnded():
                await self._turn_ended(event)
            case Trouble():
                self.supervisor.report(error=event.message)
            case _:
                await self._report(event)

    async def _report(self, event: Event) -> None:
        """What a program says about its contract itself; a report that is refused costs only itself."""
        self.progressed = True
        try:
            await self._until_stored(lambda: self._about_contract(event))
        except Refused as error:
            self.garbage += 1
            log.warning("%s was refused: %s", event, error)
        except ValueError as error:  # pydantic's: not even sent
            self.garbage += 1
            log.warning("%s can't be reported: %s", event, error)

    async def _about_contract(self, event: Event) -> None:
        supervisor = self.supervisor
        match event:
            case TaskSpawned():
                arguments = event.arguments
                await supervisor.spawn_task(event.name, template=event.template, arguments=arguments, key=event.key)
            case TaskEnded():
                await supervisor.end_task(supervisor.task_id(event.key), ok=event.ok, message=event.message)
            case Asked():
                await self._asked(event)
            case Delivered():
                await supervisor.complete_deliverable(event.id, phase=event.phase, uri=event.uri, digest=event.digest)
            case Progressed():
                supervisor.report(progress=event.percent)
            case AdvanceWanted():
                answer = await supervisor.ask_advance(event.to, reason=event.reason, wait_seconds=0)
                self.unconfirmed = event.to if answer.outcome == "requires_confirmation" else None

    async def _conversation(self, conversation: str) -> None:
        agent = self.supervisor.picture.agent
        if agent.get(CONVERSATION) == conversation and self._lock is not None:
            return
        self.hold(conversation)
        agent.update(program=self.program.name, conversation=conversation, host=socket.gethostname())
        await self.save()

    async def _opened(self, event: ToolOpened) -> None:
        self.progressed = True
        self._open[event.call] = event.text
        self.supervisor.picture.open_tool_call = event.text[:OPEN_CALL]
        self.supervisor.report(SupervisorState.WORKING, activity=event.text)
        await self.save()

    async def _turn_ended(self, event: TurnEnded) -> None:
        self._open.clear()
        self.supervisor.picture.open_tool_call = None
        self.said_done = event.ok
        self.failed = None if event.ok else event.text
        if self.failed:
            self.supervisor.report(error=self.failed[:1024])
        await self.save()

    async def ask(self, text: str, options: tuple[str, ...], key: str | None) -> str | None:
        """Ask a person; the program is told the answer with its next turn, unless it is known already.

        Returns:
            The answer, if there is one.
        """
        named = key or "/".join((self.supervisor.picture.phase, text, *options))
        question = await self._asked(Asked(named, text, options))
        return question.answer.result() if question.answer.done() else None

    async def _asked(self, event: Asked) -> Question:
        asked = self.supervisor.picture.agent.setdefault(ASKED, {})
        question = self.supervisor.question_id(event.key)
        asked[str(question)] = {"key": event.key, "text": event.text}
        keep_newest(asked, ANSWERS)
        return await self.supervisor.ask_question(event.text, event.options, key=event.key)

    async def _until_stored(self, call: Callable[[], Awaitable[object]]) -> None:
        """Make the call until it is answered: it repeats nothing, and going on without it would lose it."""
        while True:
            try:
                await call()
            except Unreachable as error:
                log.warning("the program is held until the API service answers: %s", error)
            else:
                return


def asked_of(supervisor: Supervisor) -> dict[UUID, tuple[str, str]]:
    """(key, text) of the questions that this program asked, by id."""
    asked = supervisor.picture.agent.get(ASKED)
    found: dict[UUID, tuple[str, str]] = {}
    for question, facts in asked.items() if isinstance(asked, dict) else ():
        if isinstance(facts, dict):
            found[UUID(question)] = (str(facts.get("key", "")), str(facts.get("text", "")))
    return found
