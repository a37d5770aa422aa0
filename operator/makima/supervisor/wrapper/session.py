"""One life of a wrapped program: turn after turn, between them waiting for whoever has to say something."""

from __future__ import annotations

import asyncio
import logging
import signal
from dataclasses import dataclass, field
from uuid import UUID

from makima.models.enums import CommandKind, SupervisorState
from makima.models.wire.commands import Command
from makima.supervisor.client import Supervisor
from makima.supervisor.errors import Refused, Unreachable
from makima.supervisor.wrapper import exit_codes, processes
from makima.supervisor.wrapper.agent_process import AgentProcess
from makima.supervisor.wrapper.briefing import RUNNING, Assignment, Briefing
from makima.supervisor.wrapper.next_step import Again, Exit, Turn, Wait, Wish, next_step
from makima.supervisor.wrapper.recording import Recorder

log = logging.getLogger(__name__)

PAUSED = "paused"
LAST_SAVE_SECONDS = 10.0
LAST_COMMANDS_SECONDS = 2.0
"""For commands that came with the last heartbeat, and those that are being acknowledged."""


@dataclass
class Session:
    """Runs the program's turns for one registered life."""

    supervisor: Supervisor
    assignment: Assignment
    recorder: Recorder
    _wish: Wish | None = None
    _wished: asyncio.Event = field(default_factory=asyncio.Event)
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _resting: asyncio.Event = field(default_factory=asyncio.Event)
    _signal: signal.Signals = signal.SIGTERM
    _leaving: bool = False
    _agent: AgentProcess | None = None

    def __post_init__(self) -> None:
        self.briefing = Briefing(self.supervisor, self.assignment, self.recorder)
        self._listen()

    async def run(self) -> int:
        """Until the program is done, or is to end.

        Returns:
            The exit code.
        """
        step: Exit | Wait | Again = self._first()
        unfinished = 0
        while True:
            match step:
                case Exit():
                    return await self._leave(step)
                case Wait():
                    step = await self._rest(step)
                case Again() if self._wish is not None:
                    step = self._instead(self._wish)
                case Again():
                    turn = await self._turn(unfinished)
                    unfinished = 0 if turn.said_done else turn.unfinished_before + 1
                    step = next_step(turn)

    def end(self, number: signal.Signals) -> None:
        """A signal came: the program gets it too; the second one kills it."""
        if self._wish is Wish.SIGNAL and self._agent is not None:
            self._agent.forward(signal.SIGKILL)
        self._signal = number
        self._make(Wish.SIGNAL)

    def _first(self) -> Wait | Again:
        picture = self.supervisor.picture
        if picture.agent.get(PAUSED):
            return Wait(SupervisorState.IDLE, paused=True)
        if picture.questions or self._unconfirmed():
            return Wait(SupervisorState.WAITING_FOR_USER)
        return Again()

    def _instead(self, wish: Wish) -> Exit | Wait | Again:
        """The program does not run: what to do about this wish."""
        return next_step(Turn(exit_codes.SIGNAL + self._signal, wish=wish))

    async def _turn(self, unfinished: int) -> Turn:
        """One run of the program."""
        heard = self.briefing.answered()
        code = await self._run(heard)
        picture = self.supervisor.picture
        return Turn(
            code=code,
            said_done=self.recorder.said_done,
            has_to_say=self.assignment.program.says_when_done,
            wish=self._wish,
            unfinished_before=unfinished,
            questions=len(picture.questions),
            unconfirmed=self._unconfirmed(),
            unheard=len(self.briefing.answered() - heard),
            stays=self.assignment.stays,
            completed=picture.completed,
        )

    async def _run(self, heard: set[UUID]) -> int:
        """The program, from its start to its exit code; `heard`: questions whose answers it is told."""
        picture = self.supervisor.picture
        phase = picture.phase
        command = await self.briefing.command()
        picture.agent[RUNNING] = True
        self.recorder.begin_turn()
        self.supervisor.report(SupervisorState.WORKING)
        await self.recorder.save()
        self._resting.clear()
        self._agent = AgentProcess(command, self.briefing.environment(), self.assignment.folder)
        try:
            code = await self._ended(self._agent)
        finally:
            processes.kill_now()
            self._agent = None
        ended_well = code == 0 and (self.recorder.said_done or not self.assignment.program.says_when_done)
        picture.agent[RUNNING] = not ended_well
        if code == 0 or self.recorder.progressed:  # else it may not have heard of them: they are told again
            self.briefing.told(phase, heard)
        return code

    async def _ended(self, agent: AgentProcess) -> int:
        running = asyncio.create_task(agent.run(self.recorder.take, self.assignment.grace))
        wished = asyncio.create_task(self._wished.wait())
        try:
            await asyncio.wait({running, wished}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                agent.forward(self._signal if self._wish is Wish.SIGNAL else signal.SIGTERM)
                await asyncio.wait({running}, timeout=self.assignment.grace)
            if not running.done():
                agent.kill()
                await asyncio.wait({running}, timeout=self.assignment.grace + LAST_SAVE_SECONDS)
            return exit_codes.of_program(running.result() if running.done() else -signal.SIGKILL)
        finally:
            if not running.done():
                agent.kill()
            for task in (running, wished):
                task.cancel()
            await asyncio.gather(running, wished, return_exceptions=True)

    async def _rest(self, step: Wait) -> Exit | Wait | Again:
        """Wait for what this step waits for."""
        picture = self.supervisor.picture
        picture.agent[PAUSED] = step.paused
        if step.paused:
            self._wish = None
            self._wished.clear()
        self.supervisor.report(step.state)
        await self.recorder.save()
        self._resting.set()
        while True:
            if self._wish is not None and not (step.paused and self._wish is Wish.PAUSE):
                return self._instead(self._wish)
            if self._may_go_on(step):
                return self._first() if step.paused else Again()
            self._stirred.clear()
            await self._stirred.wait()

    def _may_go_on(self, step: Wait) -> bool:
        picture = self.supervisor.picture
        if step.paused:
            return not picture.agent.get(PAUSED)
        if step.state is SupervisorState.WAITING_FOR_USER:
            return not picture.questions and not self._unconfirmed()
        return self.briefing.has_news()

    async def _leave(self, step: Exit) -> int:
        """Last words; they are tried, but do not hold up the end."""
        self.supervisor.report(step.state, error=step.error)
        self._leaving = True
        self._resting.set()
        try:
            await self.supervisor.save(deadline=LAST_SAVE_SECONDS)
            await self.supervisor.heartbeat(deadline=LAST_SAVE_SECONDS)
            await self.supervisor.settled(deadline=LAST_COMMANDS_SECONDS)
        except (Unreachable, Refused) as error:
            log.warning("the last words were not heard: %s", error)
        if self.recorder.garbage:
            log.warning("%d lines of the program could not be read", self.recorder.garbage)
        return step.code

    def _unconfirmed(self) -> bool:
        wanted = self.recorder.unconfirmed
        if wanted is not None and (self.supervisor.picture.phase == wanted or self.supervisor.picture.completed):
            self.recorder.unconfirmed = None
        return self.recorder.unconfirmed is not None

    def _listen(self) -> None:
        on = self.supervisor.on
        on(CommandKind.PAUSE, self._on_pause)
        on(CommandKind.RESUME, self._on_resume)
        on(CommandKind.STOP, lambda _: self._on_end(Wish.STOP))
        on(CommandKind.RESTART, lambda _: self._on_end(Wish.RESTART))
        for kind in (CommandKind.ANSWER, CommandKind.PHASE_CHANGED, CommandKind.TASK_FINISHED, CommandKind.SYNC):
            on(kind, self._on_news)

    async def _on_pause(self, _: Command) -> None:
        """Carried out once the program has ended and its conversation is saved."""
        if self._leaving:
            await asyncio.Event().wait()  # the next life is told again
        if not self.supervisor.picture.agent.get(PAUSED):
            self._make(Wish.PAUSE)
            await self._resting.wait()

    async def _on_resume(self, _: Command) -> None:
        self.supervisor.picture.agent[PAUSED] = False
        self._stirred.set()

    async def _on_end(self, wish: Wish) -> None:
        self._make(wish)
        await self._resting.wait()

    async def _on_news(self, _: Command) -> None:
        self._stirred.set()

    def _make(self, wish: Wish) -> None:
        if self._leaving:
            return
        self._resting.clear()
        self._wish = wish
        self._wished.set()
        self._stirred.set()
