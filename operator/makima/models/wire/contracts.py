"""Contracts as REST shows them. Old field names stand beside the new ones (plan, "Backwards Compatibility").

`status` is one of the three old values, `state` one of the nine; `type` is also `contract_type`, `id` also `uid`,
`auto_complete_enabled` also `auto_complete`. With the flag `enhanced_contract_status` off `state` repeats `status`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from makima.models.enums import AdvanceOutcome, ConditionStatus, ContractState, LegacyStatus, Priority
from makima.models.wire.message import InSnake, Message
from makima.models.wire.work import AskedQuestion, TaskReport

OldStatus = Annotated[LegacyStatus, InSnake(LegacyStatus)]
State = Annotated[ContractState, InSnake(ContractState)]


class ContractSummary(Message):
    """A contract in a list, and as the answer to a change."""

    id: UUID = Field(description="UID of the Contract.")
    uid: UUID
    namespace: str
    name: str
    type: str
    contract_type: str
    description: str | None = None
    status: OldStatus = Field(description="What clients of the first three statuses know.")
    state: State
    phase: str | None = Field(None, description="Current phase; none before the contract is accepted.")
    phases: tuple[str, ...] = ()
    version: int = Field(ge=0, description="What `expected_version` refers to; 0 before the contract is accepted.")
    auto_complete_enabled: bool
    auto_complete: bool
    stale: bool = False
    waiting_for: str | None = None
    blocked_reason: str | None = None
    failure_reason: str | None = None
    status_changed_at: datetime | None = None
    last_activity_at: datetime | None = None
    completion_detected_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(None, description="When it was found to be gone.")
    labels: dict[str, str] = Field(default_factory=dict)


class DeliverableView(Message):
    """A deliverable of a phase, and whether it is there."""

    phase: str
    id: str
    deliverable_id: str
    name: str | None = None
    priority: Annotated[Priority, InSnake(Priority)]
    completed: bool = False
    completed_at: datetime | None = None
    completed_by: str | None = None
    uri: str | None = None
    digest: str | None = None


class PhaseView(Message):
    """A phase of a contract."""

    name: str
    current: bool = False
    gate: bool = Field(description="False: it is left by hand only.")
    auto_advance: bool = False
    deliverables: tuple[DeliverableView, ...] = ()


class AdvanceView(Message):
    """What became of the last wish to move on."""

    to: str
    expected_version: int
    outcome: Annotated[AdvanceOutcome, InSnake(AdvanceOutcome)]
    message: str
    missing: tuple[str, ...] = ()


class SupervisorView(Message):
    """Who carries the contract."""

    name: str
    task_id: UUID
    incarnation: int
    restarts: int = 0


class ConditionView(Message):
    """A condition of the resource."""

    type: str
    status: Annotated[ConditionStatus, InSnake(ConditionStatus)]
    reason: str
    message: str
    since: datetime


class ContractDetail(ContractSummary):
    """One contract, read from Kubernetes; a contract that is gone has what the projection kept (`live` is false)."""

    live: bool = True
    accepted: bool = Field(True, description="False: the operator has not taken it up, see the condition Ready.")
    phase_guard: bool | None = None
    suspended: bool | None = None
    suspend_reason: str | None = None
    phase_list: tuple[PhaseView, ...] = ()
    tasks: tuple[TaskReport, ...] = Field((), description="Those that run, and those that a gate names.")
    questions: tuple[QuestionView, ...] = Field((), description="Open ones.")
    advance: AdvanceView | None = None
    supervisor: SupervisorView | None = None
    conditions: tuple[ConditionView, ...] = ()


class QuestionView(AskedQuestion):
    """A question to a person."""

    phase: str
    open: bool


class Projection(Message):
    """How new the list is: it comes from Postgres, which the operator fills."""

    recorded_at: datetime | None = Field(None, description="Everything that the operator knew then is in the list.")
    lag_seconds: float | None = Field(None, description="Age of that moment; none: no operator ever said so.")


class ContractPage(Message):
    """A page of contracts, newest first."""

    contracts: tuple[ContractSummary, ...]
    next_cursor: str | None = Field(
        None,
        description="For the next page; none: this is the last one. A page may hold fewer than `limit`, even none, and "
        "still have a next one: each call looks at a bounded number of contracts.",
    )
    projection: Projection


class PhaseReadiness(Message):
    """Answer of `GET …/phase-readiness` (plan 2.2)."""

    phase: str
    ready: bool
    missing: tuple[str, ...] = ()
    auto_advance_enabled: bool


class CompletionCheck(Message):
    """Answer of `POST …/check-completion` (plan 2.4)."""

    ready: bool = Field(description="Everything is there, in the last phase.")
    would_complete: bool = Field(description="It completes by itself now.")
    missing: tuple[str, ...] = ()


class DeliverableList(Message):
    """Every deliverable of a contract, by phase."""

    phase: str
    version: int
    deliverables: tuple[DeliverableView, ...] = ()


class TaskPage(Message):
    """Tasks of a contract, oldest first."""

    tasks: tuple[TaskReport, ...] = ()
    next_cursor: str | None = None


class QuestionPage(Message):
    """Questions of a contract, oldest first."""

    questions: tuple[QuestionView, ...] = ()
    next_cursor: str | None = None


ContractDetail.model_rebuild()
