"""The dashboard's answer (plan 5.4). Its own names are the plan's, in camelCase; events are frames of the monitor."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, SerializeAsAny
from pydantic.alias_generators import to_camel

from makima.models.wire.message import Message
from makima.models.wire.monitor import StoredFrame


class DashboardPart(Message):
    """Spelled in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


class StaleContract(DashboardPart):
    """Nothing has happened for longer than the contract's threshold, or the configured one."""

    id: UUID
    namespace: str
    name: str
    last_activity: datetime = Field(description="Heartbeats count; some seconds behind at most.")
    stale_duration_secs: int = Field(ge=0, description="Seconds since then, without pauses.")


class WaitingContract(DashboardPart):
    """It waits for a person."""

    id: UUID
    namespace: str
    name: str
    waiting_for: Literal["question", "confirmation", "person"] = Field(
        description="question: an answer; confirmation: of a guarded move; person: its supervisor says no more."
    )
    question: str | None = Field(None, description="What is asked, or which move has to be confirmed.")
    question_id: UUID | None = None
    since: datetime


class ResourceUsage(DashboardPart):
    """What is in use now."""

    active_supervisors: int = Field(ge=0, description="Heard of within the heartbeat timeout; counted every 2 s.")
    running_tasks: int = Field(ge=0)
    pending_tasks: int = Field(ge=0)
    active_daemons: int = Field(
        ge=0, description="Distinct hosts, nodes or machines, from which those supervisors report."
    )
    total_worktrees: int = Field(
        ge=0, description="Left by the last clearing of each workspace, and made for tasks since."
    )


class ProjectionAge(DashboardPart):
    """How far the projection, from which all of this comes, may be behind the cluster."""

    caught_up_at: datetime | None = Field(
        None, description="The operator had nothing left to record then; null: none has said so for a week."
    )
    lag_secs: float | None = Field(None, ge=0, description="Seconds since then: some, where all is well.")


class Dashboard(DashboardPart):
    """Everything that the caller may see, at one look."""

    status_counts: dict[str, int] = Field(description="Contracts by status; a status without any is left out.")
    phase_counts: dict[str, int] = Field(
        description="Contracts that are not finished, by phase: the 200 phases with the most."
    )
    stale_contracts: tuple[StaleContract, ...] = Field(description="Longest silent first, 100 at most.")
    waiting_for_input: tuple[WaitingContract, ...] = Field(description="Longest waiting first, 100 at most.")
    recent_events: tuple[SerializeAsAny[StoredFrame], ...] = Field(
        description="Newest first, 20 at most; the same as in the live monitor."
    )
    resource_usage: ResourceUsage
    projection: ProjectionAge
