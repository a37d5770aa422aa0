"""What the program is told when it starts: its prompt, its environment, and what of that it has not heard yet."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from makima.supervisor.client import Supervisor
from makima.supervisor.dialects.command_line import CommandLine
from makima.supervisor.dialects.local_files import is_here
from makima.supervisor.dialects.programs import Program
from makima.supervisor.dialects.tool_setup import ToolServer, python_path, set_up
from makima.supervisor.life import PATIENCE_SECONDS
from makima.supervisor.tools.calls import TOOLS_SOCKET
from makima.supervisor.wrapper import processes
from makima.supervisor.wrapper.prompts import News, afresh, go_on
from makima.supervisor.wrapper.recording import CONVERSATION, Recorder, asked_of

RUNNING = "running"
PHASE = "phase"
TOLD = "told"
"""Keys of the saved `agent`: whether a turn is under way; the phase and the answers that the program knows."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be run, and how.

    Attributes:
        folder: where it runs; None = here.
        environment: of the program.
        grace: seconds between SIGTERM and SIGKILL.
        stays: wait for commands when a turn is over, rather than end.
        patience: seconds until a call without answer is given up; registering then fails, a save is tried again.
        tools: tell the program of makima's tools, where it is known how (`makima.supervisor.dialects.tool_setup`).
    """

    program: Program
    command: CommandLine
    environment: Mapping[str, str]
    folder: Path | None = None
    grace: float = 10.0
    stays: bool = False
    patience: float = PATIENCE_SECONDS
    tools: bool = False

    def with_tools(self, socket: Path) -> Assignment:
        """The same, with tools that answer at this socket."""
        environment = {**self.environment, TOOLS_SOCKET: str(socket)}
        if not self.tools:
            return replace(self, environment=environment)
        server = ToolServer((sys.executable, "-m", "makima", "mcp", "--socket", str(socket)), python_path(environment))
        arguments, more = set_up(self.program, self.command.arguments, environment, server)
        command = replace(self.command, arguments=arguments)
        return replace(self, command=command, environment={**environment, **more})


@dataclass
class Briefing:
    """What the next turn begins with."""

    supervisor: Supervisor
    assignment: Assignment
    recorder: Recorder

    async def command(self) -> Sequence[str]:
        """How to start the program now; its prompt becomes part of the conversation."""
        assignment, picture = self.assignment, self.supervisor.picture
        news = self._news()
        if not assignment.program.resume:
            return assignment.command.start()
        conversation = picture.agent.get(CONVERSATION)
        known = isinstance(conversation, str) and picture.agent.get("program") == assignment.program.name
        if known and is_here(assignment.program.name, str(conversation), assignment.environment):
            self.recorder.hold(str(conversation))
            prompt = go_on(news)
            command = assignment.command.go_on(assignment.program, str(conversation), prompt)
        elif self._messages():
            prompt = afresh(assignment.command.prompt, news, self._messages())
            command = assignment.command.start(prompt)
        else:
            prompt = assignment.command.prompt or ""
            command = assignment.command.start()
        if prompt:
            await self.recorder.said(prompt, role="user")
        return command

    def _news(self) -> News:
        picture = self.supervisor.picture
        interrupted = bool(picture.agent.get(RUNNING))
        return News(
            interrupted=interrupted,
            open_tool_call=picture.open_tool_call if interrupted else None,
            answers=tuple(self._answers()),
            phase=picture.phase if picture.phase != self._phase_told() else None,
        )

    def answered(self) -> set[UUID]:
        """Questions of this program that are answered."""
        return set(asked_of(self.supervisor)) & set(self.supervisor.picture.answers)

    def _answers(self) -> list[tuple[str, str]]:
        picture = self.supervisor.picture
        told = set(picture.agent.get(TOLD, ()))
        asked = asked_of(self.supervisor)
        return [
            (asked[question][1], answer)
            for question, answer in picture.answers.items()
            if question in asked and str(question) not in told
        ]

    def _messages(self) -> list[tuple[str, str]]:
        return [(message.role, message.content) for message in self.supervisor.restoration.messages]

    def told(self, phase: str, answered: set[UUID]) -> None:
        """The program knows these now; until this is said they are told with each start."""
        self.supervisor.picture.agent |= {PHASE: phase, TOLD: [str(question) for question in answered]}

    def has_news(self) -> bool:
        """Whether there is anything that it was not told."""
        picture = self.supervisor.picture
        return picture.phase != self._phase_told() or bool(self._answers())

    def _phase_told(self) -> str:
        picture = self.supervisor.picture
        return str(picture.agent.setdefault(PHASE, picture.phase))

    def environment(self) -> dict[str, str]:
        """What it finds in its environment: its contract, and by key the answers to its questions."""
        supervisor = self.supervisor
        asked = asked_of(supervisor)
        answers = {
            asked[question][0]: text for question, text in supervisor.picture.answers.items() if question in asked
        }
        return {
            **self.assignment.environment,
            processes.MARK: str(supervisor.life.contract_id),
            "MAKIMA_CONTRACT": supervisor.place.contract,
            "MAKIMA_CONTRACT_ID": str(supervisor.life.contract_id),
            "MAKIMA_PHASE": supervisor.picture.phase,
            "MAKIMA_ANSWERS": json.dumps(answers),
            "MAKIMA_RESTORATION": supervisor.restoration.outcome.snake,
        }


def program_environment() -> dict[str, str]:
    """This process's own, without what names another wrapper's program."""
    return {name: value for name, value in os.environ.items() if name != processes.MARK}
