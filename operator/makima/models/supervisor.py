"""Supervisor: the agent process that carries a contract, named like it (design, "Supervisor")."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from makima.models.bounds import Label, ObjectName, Sentence, Uuid
from makima.models.condition import ConditionList
from makima.models.enums import (
    RestartAction,
    RestorationOutcome,
    RuleOperator,
    SupervisorState,
    WhileWaiting,
)
from makima.models.markers import AtomicList, Column, Model, ResourceNames, SetList
from makima.models.metadata import Metadata
from makima.models.pod_template import PodTemplate


class Backoff(Model):
    """How long to wait before a restart: seconds × factor^n, at most capSeconds."""

    seconds: int = Field(10, ge=0, le=3600, description="Seconds before the first restart. Default: 10.")
    factor: int = Field(2, ge=1, le=10, description="By how much each further wait grows. Default: 2.")
    cap_seconds: int = Field(300, ge=0, le=86400, description="Longest wait, in seconds. Default: 300.")


class RestartRule(Model):
    """What to do for certain exit codes (shaped like a Job's podFailurePolicy)."""

    action: RestartAction = Field(
        description="Restart: restart and count. FailContract: the contract fails at once. Ignore: restart without "
        "counting."
    )
    operator: RuleOperator = Field(RuleOperator.IN, description="In or NotIn. Default: In.")
    exit_codes: Annotated[
        tuple[Annotated[int, Field(ge=0, le=255)], ...], SetList(), Field(min_length=1, max_length=32)
    ] = Field(description="Exit codes of the first container.")


class Restart(Model):
    """How often and how fast a supervisor that died is restarted."""

    max_restarts: int = Field(10, ge=0, le=10000, description="Restarts before the contract fails. Default: 10.")
    backoff: Backoff = Field(
        default_factory=Backoff, description="Waits between restarts. Default: those of its fields."
    )
    reset_after_seconds: int = Field(
        600,
        ge=1,
        le=604800,
        description="Seconds of life after which the budget is whole again. Default: 600.",
    )
    rules: Annotated[tuple[RestartRule, ...], AtomicList(), Field(max_length=16)] = Field(
        (), description="Rules by exit code; the first that matches decides. Default: always Restart."
    )


class SupervisorSettings(Model):
    """How a supervisor runs: the part that a Contract gives its Supervisor."""

    template: PodTemplate | None = Field(
        None,
        description="The pod to run. Default: none, the supervisor is an external process that registers itself.",
    )
    heartbeat_period_seconds: int | None = Field(
        None,
        ge=1,
        le=3600,
        description="Seconds between heartbeats. Default: the operator's heartbeat_interval_seconds (30) when the "
        "Supervisor is made; half of the timeout, where that is not longer.",
    )
    heartbeat_timeout_seconds: int | None = Field(
        None,
        ge=2,
        le=86400,
        description="Seconds without a heartbeat after which the supervisor is dead. Default: the operator's "
        "heartbeat_timeout_seconds (120) when the Supervisor is made; twice the period, where that is not shorter.",
    )
    restart: Restart = Field(
        default_factory=Restart, description="Restart budget, back-off and rules. Default: those of its fields."
    )
    while_waiting: WhileWaiting = Field(
        WhileWaiting.KEEP,
        description="Keep: the pod stays while the contract waits for a person. Release: it is freed and comes back "
        "with the answer. Default: Keep.",
    )


class SupervisorSpec(SupervisorSettings):
    """What the supervisor should be."""

    suspend: bool = Field(False, description="True frees the pod and keeps its context. Default: false.")


class Restoration(Model):
    """How the supervisor came back the last time."""

    outcome: RestorationOutcome = Field(description="Which way the restoration went.")
    time: datetime = Field(description="When.")
    message: Sentence | None = Field(None, description="What was found.")


class SupervisorStatus(Model):
    """What the supervisor is."""

    state: SupervisorState | None = Field(None, description="What the supervisor says that it does.")
    phase: Label | None = Field(None, description="Phase that it works in.")
    current_activity: Sentence | None = Field(None, description="What it is doing, in its own words.")
    progress: int | None = Field(None, ge=0, le=100, description="Progress in its phase, percent.")
    last_heartbeat_time: datetime | None = Field(
        None, description="Time of a recent heartbeat. Coalesced: Postgres has every one."
    )
    pending_tasks: int | None = Field(None, ge=0, description="Tasks that it waits for.")
    incarnation: int | None = Field(
        None, ge=0, description="Number of the current life; writes of older ones are refused."
    )
    restarts: int | None = Field(None, ge=0, description="Restarts counted against the budget.")
    pod_name: ObjectName | None = Field(None, description="Name of the current pod.")
    pod_uid: Uuid | None = Field(None, description="UID of the current pod; only its token may act for the supervisor.")
    restoration: Restoration | None = Field(None, description="How it came back the last time.")
    error_message: Sentence | None = Field(None, description="Last error that it reported.")
    observed_generation: int | None = Field(None, ge=0, description="metadata.generation that this status is about.")
    conditions: ConditionList = Field((), description="Ready, Alive, Restored.")


class Supervisor(Model):
    """The agent process that carries the contract of the same name; restarted and restored when it dies."""

    __resource__: ClassVar[ResourceNames] = ResourceNames(
        kind="Supervisor",
        plural="supervisors",
        singular="supervisor",
        short=("sup",),
        columns=(
            Column("State", ".status.state", description="What the supervisor says that it does."),
            Column("Phase", ".status.phase", description="Phase that it works in."),
            Column("Activity", ".status.currentActivity", description="What it is doing."),
            Column("Progress", ".status.progress", type="integer", description="Percent of the phase."),
            Column("Last heartbeat", ".status.lastHeartbeatTime", type="date"),
            Column("Restarts", ".status.restarts", type="integer"),
            Column("Age", ".metadata.creationTimestamp", type="date"),
            Column("Pod", ".status.podName", priority=1),
            Column("Incarnation", ".status.incarnation", type="integer", priority=1),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
        ),
        selectable=(".status.state",),
    )

    metadata: Metadata
    spec: SupervisorSpec = Field(default_factory=SupervisorSpec, description="What the supervisor should be.")
    status: SupervisorStatus | None = Field(None, description="What the supervisor is; written by makima.")
