"""Phases, their deliverables, and the gate that says when a phase is done (plan 2.1, PhaseCompletionGate)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from makima.models import bounds
from makima.models.bounds import Label
from makima.models.enums import FailurePolicy, Priority, TaskPolicy
from makima.models.markers import AtomicList, ListMap, Model, SetList


class Deliverable(Model):
    """One thing that a phase is expected to produce."""

    id: Label = Field(description="Identifier of the deliverable, unique in its phase, for example plan-document.")
    name: Annotated[str, StringConstraints(max_length=128)] | None = Field(
        None, description="Name shown to people, 128 characters at most. Default: the id."
    )
    priority: Priority = Field(
        Priority.REQUIRED,
        description="Required deliverables hold the gate back; Recommended and Optional ones are only shown. "
        "Default: Required.",
    )


class TaskRequirement(Model):
    """Which of the phase's tasks have to be complete. A failed task counts as incomplete."""

    policy: TaskPolicy = Field(
        TaskPolicy.NONE,
        description="None: tasks do not matter. AllComplete: every task of the phase is complete (no tasks pass). "
        "MinComplete: at least `min` tasks are complete. NamedTasks: the tasks in `names` are complete. Default: None.",
    )
    min: int | None = Field(
        None, ge=1, le=10000, description="With MinComplete: how many tasks have to be complete, 1 to 10000."
    )
    names: Annotated[tuple[Label, ...], SetList(), Field(max_length=16)] = Field(
        (), description="With NamedTasks: names of the tasks that have to be complete."
    )


class CelValidator(Model):
    """A check written in CEL over the contract."""

    expression: Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(
        description="CEL expression that gives true (ready), false, or a list of strings (what is missing; empty = "
        "ready). Variables: contract (the whole object), phase (its name), deliverables (ids completed in this "
        "phase), tasks (of this phase)."
    )


class HttpValidator(Model):
    """A check made by a Service in the contract's own namespace, answering {ready, missing[]}."""

    service: Label = Field(
        description="Name of a Service with a cluster IP in the contract's namespace; ExternalName is refused."
    )
    port: int = Field(80, ge=1, le=65535, description="Port of the Service. Default: 80.")
    path: Annotated[str, StringConstraints(max_length=256, pattern=r"^/[!-~]*$")] = Field(
        "/", description="Path of the POST request, which carries the contract as JSON. Default: /."
    )


class Validator(Model):
    """The plan's custom_validator: asked only when everything else of the gate is satisfied."""

    cel: CelValidator | None = Field(None, description="A CEL expression. Exactly one of cel and http is set.")
    http: HttpValidator | None = Field(None, description="An HTTP call. Exactly one of cel and http is set.")
    timeout_seconds: int = Field(
        5,
        ge=1,
        le=30,
        description="Seconds after which the validator counts as failed; a CEL expression gets 2 at most. Default: 5.",
    )
    failure_policy: FailurePolicy = Field(
        FailurePolicy.FAIL,
        description="What an error or a timeout means. Fail: the gate is not ready. Ignore: the validator passes. "
        "Default: Fail.",
    )
    retry_seconds: int = Field(
        60,
        ge=1,
        le=86400,
        description="Seconds until a validator that said no, or failed, is asked again when nothing else changed. "
        "Default: 60.",
    )


class Gate(Model):
    """When a phase is complete. A phase without a gate moves by hand only."""

    required_deliverables: (
        Annotated[tuple[Label, ...], SetList(), Field(max_length=bounds.DELIVERABLES_PER_PHASE)] | None
    ) = Field(
        None,
        description="Ids of the deliverables that have to be complete. Default: all Required ones of the phase.",
    )
    required_tasks: TaskRequirement | None = Field(
        None, description="Which tasks have to be complete. Default: policy None."
    )
    validator: Validator | None = Field(
        None, description="A further check, asked when the rest is ready. Default: none."
    )
    auto_advance: bool = Field(
        False,
        description="Whether the contract moves on by itself once the gate is ready; a phase guard still asks first. "
        "Default: false.",
    )


class Phase(Model):
    """A named stretch of a contract."""

    name: Label = Field(description="Name of the phase, unique in the contract. Completed is reserved.")
    deliverables: Annotated[
        tuple[Deliverable, ...], ListMap(("id",)), Field(max_length=bounds.DELIVERABLES_PER_PHASE)
    ] = Field((), description="What the phase is expected to produce. Default: nothing.")
    gate: Gate | None = Field(
        None,
        description="When the phase is complete. Default: none, the phase is left by hand only (spec.advance).",
    )

    def deliverable(self, identifier: str) -> Deliverable | None:
        """The deliverable with this id, if the phase has one."""
        return next((item for item in self.deliverables if item.id == identifier), None)


PhaseList = Annotated[tuple[Phase, ...], ListMap(("name",)), Field(min_length=1, max_length=bounds.PHASES)]
"""Phases as people write them: merged by name, no name twice."""

PhaseSnapshot = Annotated[tuple[Phase, ...], AtomicList(), Field(min_length=1, max_length=bounds.PHASES)]
"""Phases as they were accepted. Atomic, as only whole snapshots are written: field ownership of every part of every
phase was more than a quarter of a contract's size, and cost the API server 15 to 20 % of each status write (measured).
"""
