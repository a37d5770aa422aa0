"""How a supervisor is at the moment: what its heartbeats say and what is saved of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from makima.models.enums import SupervisorState
from makima.models.wire.memory import SavedState
from makima.models.wire.message import PENDING_TASKS
from makima.models.wire.registration import Registered

SPAWNED = 4096
QUESTIONS = 64
HANDLED = 64
ANSWERS = 16
OWN = "makima"
"""Key of `SavedState.agent` under which this library keeps what it needs itself."""


@dataclass(slots=True)
class Picture:
    """The present, in memory.

    Attributes:
        contract_version: the newest that is known of; moves are asked for from it.
        phase_version: at which the contract was in this phase.
        waiting_on: tasks that are not finished, oldest first.
        spawned: ids of tasks, oldest first; the newest are kept.
        questions: asked and not answered.
        agent: the agent's own; saved with the rest, up to the size of a saved state.
        handled: commands that were carried out, so that none is carried out again by the next life.
        answers: by question id: kept until the agent has them for sure.
        completed: the contract has no further phase.
    """

    phase: str
    contract_version: int
    phase_version: int = 0
    state: SupervisorState = SupervisorState.INITIALIZING
    activity: str = ""
    progress: int = 0
    waiting_on: dict[UUID, None] = field(default_factory=dict)
    spawned: dict[UUID, None] = field(default_factory=dict)
    questions: dict[UUID, None] = field(default_factory=dict)
    open_tool_call: str | None = None
    error: str | None = None
    agent: dict[str, Any] = field(default_factory=dict)
    handled: dict[UUID, None] = field(default_factory=dict)
    answers: dict[UUID, str] = field(default_factory=dict)
    completed: bool = False

    def saved(self, now: datetime, message_sequence: int) -> SavedState:
        """What is saved of it."""
        for kept, most in ((self.spawned, SPAWNED), (self.handled, HANDLED), (self.answers, ANSWERS)):
            keep_newest(kept, most)
        own = {
            "handled": [str(each) for each in self.handled],
            "answers": {str(question): answer for question, answer in self.answers.items()},
        }
        return SavedState(
            state=self.state,
            phase=self.phase,
            current_activity=self.activity,
            progress=self.progress,
            message_sequence=message_sequence,
            pending_question_ids=tuple(self.questions)[-QUESTIONS:],
            spawned_task_ids=tuple(self.spawned),
            waiting_on_task_ids=tuple(self.waiting_on)[-PENDING_TASKS:],
            open_tool_call=self.open_tool_call,
            error=self.error,
            agent={**self.agent, OWN: own},
            saved_at=now,
        )


def keep_newest(kept: dict[Any, Any], most: int) -> None:
    """Forget the oldest entries of what has grown too long."""
    for old in list(kept)[: max(len(kept) - most, 0)]:
        del kept[old]


def picture_of(life: Registered) -> Picture:
    """How a life begins: with what the one before it saved, and what became of that meanwhile."""
    picture = Picture(life.phase, life.contract_version, phase_version=life.contract_version)
    restoration = life.restoration
    picture.questions = {question.id: None for question in restoration.questions}
    picture.waiting_on = {task.id: None for task in restoration.waiting_on if task.state in {"pending", "running"}}
    saved = restoration.state
    if saved is not None:
        agent = dict(saved.agent)
        own = agent.pop(OWN, {})
        picture.agent = agent
        picture.activity = saved.current_activity
        picture.progress = saved.progress if saved.phase == life.phase else 0
        picture.spawned = dict.fromkeys(saved.spawned_task_ids)
        picture.open_tool_call = saved.open_tool_call
        picture.handled, picture.answers = _own(own)
    if picture.questions:
        picture.state = SupervisorState.WAITING_FOR_USER
    elif picture.waiting_on:
        picture.state = SupervisorState.WAITING_FOR_TASKS
    return picture


def _own(own: object) -> tuple[dict[UUID, None], dict[UUID, str]]:
    if not isinstance(own, dict):
        return {}, {}
    try:
        handled = {UUID(str(each)): None for each in own.get("handled", ())}
        answers = {UUID(str(each)): str(text) for each, text in dict(own.get("answers", {})).items()}
    except (ValueError, TypeError):
        return {}, {}  # written by another version: a command may then be carried out once more
    return handled, answers
