"""Contract.status: what is. Written by the operator and the API service through one function."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from makima.models import bounds
from makima.models.bounds import Digest, Label, Line, ObjectName, Sentence, Uri, Uuid
from makima.models.condition import ConditionList, Reason
from makima.models.contract_spec import Target
from makima.models.enums import AdvanceOutcome, ContractState, TaskState
from makima.models.gate import PhaseSnapshot
from makima.models.markers import AtomicList, ListMap, Model

Actor = Annotated[str, StringConstraints(max_length=128)]
Incarnation = Annotated[int, Field(ge=0)]


class CompletedDeliverable(Model):
    """A deliverable that is there."""

    phase: Label = Field(description="Phase that the deliverable belongs to.")
    id: Label = Field(description="Id of the deliverable in that phase.")
    completed_time: datetime = Field(description="When it was recorded as complete.")
    completed_by: Actor | None = Field(None, description="Field manager or user that reported it.")
    uri: Uri | None = Field(None, description="Where it is.")
    digest: Digest | None = Field(None, description="Digest of its content.")


class TaskStatus(Model):
    """A task of the contract. Finished ones that no gate names fold into taskCounts."""

    id: Uuid = Field(description="Id, made by the client that spawned the task.")
    name: Label = Field(description="Name, which a gate may ask for.")
    phase: Label = Field(description="Phase that it belongs to.")
    state: TaskState = Field(description="Pending, Running, Completed or Failed.")
    template: Label | None = Field(
        None, description="Task template that it runs from; absent = the supervisor runs it."
    )
    start_time: datetime | None = Field(None, description="When it was spawned.")
    completion_time: datetime | None = Field(None, description="When it ended.")
    message: Line | None = Field(None, description="What it said at its end.")


class TaskCount(Model):
    """Finished tasks of one phase that are no longer listed in tasks."""

    phase: Label = Field(description="Phase that is counted.")
    completed: int = Field(ge=0, description="How many completed.")
    failed: int = Field(ge=0, description="How many failed.")


class Question(Model):
    """An open question to a person."""

    id: Uuid = Field(description="Id, made by the client that asked; spec.answers refers to it.")
    question: Annotated[str, StringConstraints(min_length=1, max_length=2048)] = Field(description="The question.")
    type: Label = Field(description="Kind of answer expected, for example free-text, choice or yes-no.")
    phase: Label = Field(description="Phase in which it was asked.")
    asked_time: datetime = Field(description="When it was asked.")
    options: Annotated[tuple[Line, ...], AtomicList(), Field(max_length=8)] = Field(
        (), description="Answers to choose from."
    )


class WorkspaceStatus(Model):
    """What the last clearing of the workspace found."""

    worktrees: int = Field(ge=0, description="Worktrees that it left, of tasks that run or are new.")
    worktrees_removed: int = Field(ge=0, description="Worktrees removed so far, in all clearings.")
    worktrees_failed: int = Field(0, ge=0, description="Worktrees that it could not remove.")
    cleared_time: datetime = Field(description="When it ended.")
    clearings: int = Field(0, ge=0, description="Clearings so far, those included that only counted.")
    orphans: int = Field(0, ge=0, description="Worktrees found that nobody needs, and that are still there.")


class AdvanceStatus(Model):
    """What became of the last spec.advance."""

    to: Target = Field(description="Where the request wanted to go.")
    expected_version: int = Field(ge=1, description="Version that the request was for.")
    outcome: AdvanceOutcome = Field(description="What became of it.")
    message: Sentence = Field(description="What happened, what is missing, and what to do next.")
    missing: Annotated[tuple[Line, ...], AtomicList(), Field(max_length=32)] = Field(
        (), description="What was missing, in the words of phase-readiness."
    )


class SupervisorReference(Model):
    """The supervisor that carries the contract."""

    name: ObjectName = Field(description="Name of the Supervisor; the contract's own.")
    uid: Uuid = Field(description="UID of the Supervisor.")
    incarnation: Incarnation = Field(description="Its current life; writes of older ones are refused.")
    restarts: int = Field(0, ge=0, description="Restarts so far.")


class DeliverableKey(Model):
    """Which deliverable."""

    phase: Label = Field(description="Phase.")
    id: Label = Field(description="Id in the phase.")


class Transition(Model):
    """One version of the contract: what changed, from what. Kept here until Postgres has it (the outbox)."""

    version: int = Field(ge=1, description="Version that this change made.")
    time: datetime = Field(description="When.")
    reason: Reason = Field(description="One word for programs: why.")
    message: Line = Field("", description="One line for people.")
    actor: Actor | None = Field(None, description="Who asked, where known.")
    from_state: ContractState | None = Field(None, description="State before; absent in the first transition.")
    to_state: ContractState = Field(description="State after.")
    from_phase: Label | None = Field(None, description="Phase before; absent in the first transition.")
    to_phase: Label = Field(description="Phase after.")
    deliverables: Annotated[
        tuple[DeliverableKey, ...], AtomicList(), Field(max_length=bounds.DELIVERABLES_PER_TRANSITION)
    ] = Field((), description="Deliverables recorded as complete in this version.")
    forced: bool | None = Field(None, description="True if the gate was not ready and the move was forced.")


class ContractStatus(Model):
    """What is, once the contract is accepted. Before, the status holds conditions and observedGeneration only."""

    __optional_in_schema__: ClassVar[tuple[str, ...]] = (
        "state",
        "phase",
        "version",
        "phases",
        "state_changed_time",
        "last_activity_time",
    )

    state: ContractState = Field(description="Where the contract stands.")
    phase: Label = Field(description="Current phase.")
    version: int = Field(ge=1, description="Counts changes of state, phase and deliverables; raised by exactly 1.")
    phase_progress: Annotated[str, StringConstraints(max_length=16)] | None = Field(
        None, description="Number of the current phase and how many there are, for example 2/5."
    )
    phases: PhaseSnapshot = Field(
        description="Snapshot of the phases, taken when the contract was accepted; never changes."
    )
    phase_start_time: datetime | None = Field(None, description="When the current phase began.")
    deliverables: Annotated[
        tuple[CompletedDeliverable, ...], ListMap(("phase", "id")), Field(max_length=bounds.DELIVERABLES)
    ] = Field((), description="Deliverables that are there.")
    tasks: Annotated[tuple[TaskStatus, ...], ListMap(("id",)), Field(max_length=bounds.TASKS)] = Field(
        (), description="Running tasks, and finished ones that a gate names."
    )
    task_counts: Annotated[tuple[TaskCount, ...], ListMap(("phase",)), Field(max_length=bounds.PHASES)] = Field(
        (), description="Finished tasks that are no longer listed, per phase."
    )
    questions: Annotated[tuple[Question, ...], ListMap(("id",)), Field(max_length=bounds.QUESTIONS)] = Field(
        (), description="Open questions."
    )
    advance: AdvanceStatus | None = Field(None, description="What became of the last spec.advance.")
    paused_from: ContractState | None = Field(None, description="State before the pause.")
    paused_seconds: int | None = Field(
        None, ge=0, description="Seconds spent Paused since lastActivityTime; deadlines do not count them."
    )
    supervisor_ref: SupervisorReference | None = Field(None, description="The supervisor that carries the contract.")
    workspace: WorkspaceStatus | None = Field(None, description="What the last clearing of the workspace found.")
    state_changed_time: datetime = Field(description="When the state last changed.")
    last_activity_time: datetime = Field(description="When something last happened (plan 1.5).")
    finished_time: datetime | None = Field(None, description="When it was Completed or Failed; ttl counts from here.")
    waiting_for: Sentence | None = Field(None, description="What the contract waits for.")
    blocked_reason: Sentence | None = Field(None, description="Why it is blocked.")
    failure_reason: Sentence | None = Field(None, description="Why it failed.")
    completion_detected_time: datetime | None = Field(
        None, description="When everything that the last phase requires was first seen to be there."
    )
    transitions: Annotated[tuple[Transition, ...], AtomicList(), Field(max_length=bounds.TRANSITIONS)] = Field(
        (), description="Latest versions; unrecorded ones are never dropped."
    )
    recorded_version: int | None = Field(
        None, ge=0, description="Every version up to this one is in Postgres (as of this status write)."
    )
    observed_generation: int | None = Field(None, ge=0, description="metadata.generation that this status is about.")
    conditions: ConditionList = Field((), description="Ready, Progressing, Stale, HistoryRecorded, Succeeded.")
