"""Contract.spec: what people want. Every wish is a field, so that kubectl alone can say it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from makima.models import bounds
from makima.models.bounds import Digest, Label, ObjectName, Sentence, Text, Uri, Uuid
from makima.models.enums import TerminationOrder
from makima.models.gate import PhaseList
from makima.models.markers import ListMap, Model, StartsEmpty
from makima.models.pod_template import Path, PodTemplate, Quantity
from makima.models.supervisor import SupervisorSettings

Target = Annotated[
    str,
    StringConstraints(min_length=1, max_length=63, pattern=r"^(Completed|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$"),
]


class AdvanceRequest(Model):
    """A move that somebody asks for. It names the version it is for, acts once, and does not belong into git."""

    to: Target = Field(description="The next phase, or Completed from the last one.")
    expected_version: int = Field(ge=1, description="status.version that the request is for.")
    confirmed: bool = Field(
        False,
        description="True confirms a guarded move; needs the verb confirm on this contract. Say it in every request: a "
        "merge patch keeps what the request before it said. Default: false.",
    )
    force: bool = Field(
        False,
        description="True moves although the gate is not ready; recorded, and never skips the phase guard. "
        "Default: false.",
    )
    reason: Sentence | None = Field(None, description="Why, for the history. Default: none.")


class RetryRequest(Model):
    """Failed → Active, in the same phase, with a fresh restart budget. Acts once, like an advance."""

    expected_version: int = Field(ge=1, description="status.version that the request is for.")


class RestartRequest(Model):
    """Restart the supervisor: its pod ends and a new incarnation restores."""

    expected_incarnation: int = Field(ge=0, description="Incarnation to end; a later one is left alone.")


class ClearRequest(Model):
    """Clear the workspace up now: worktrees of ended tasks, and of tasks that nobody knows. Acts once."""

    expected_clearings: int = Field(
        ge=0, description="status.workspace.clearings that the request is for, 0 where there is none; else ignored."
    )
    dry_run: bool = Field(
        False, description="True: only count them, into status.workspace.orphans. Default: false, they go."
    )


class ReportedDeliverable(Model):
    """A deliverable reported complete. Append-only: removing the entry undoes nothing."""

    phase: Label = Field(description="Phase that the deliverable belongs to.")
    id: Label = Field(description="Id of the deliverable in that phase.")
    uri: Uri | None = Field(None, description="Where it is, 512 characters at most. Default: none.")
    digest: Digest | None = Field(None, description="Digest of its content (sha256:…). Default: none.")


class Answer(Model):
    """A person's answer to a question. Append-only: removing the entry undoes nothing."""

    question_id: Uuid = Field(description="Id of the question, from status.questions.")
    answer: Annotated[str, StringConstraints(min_length=1, max_length=2048)] = Field(
        description="The answer, 2048 characters at most."
    )


class TaskTemplate(Model):
    """A pod that the running supervisor may ask for as a task."""

    name: Label = Field(description="Name that a task uses to ask for this template.")
    template: PodTemplate = Field(description="The pod.")
    backoff_limit: int = Field(0, ge=0, le=100, description="Retries before the task has failed. Default: 0.")
    active_deadline_seconds: int = Field(
        3600,
        ge=1,
        le=2592000,
        description="Seconds after which a task is ended and has failed. Default: 3600.",
    )


class VolumeClaim(Model):
    """A volume claim that the operator makes for the workspace."""

    size: Quantity = Field("1Gi", description="Bytes asked for. Default: 1Gi.")
    storage_class_name: ObjectName | None = Field(None, description="StorageClass. Default: the cluster's.")
    when_deleted: TerminationOrder = Field(
        TerminationOrder.DELETE,
        description="Delete: the claim goes with its contract. Retain: it stays. Default: Delete.",
    )


class Workspace(Model):
    """A volume shared by supervisor and tasks, with one git worktree per task."""

    claim_name: ObjectName | None = Field(
        None, description="An existing PersistentVolumeClaim. Default: one is made from volumeClaim."
    )
    volume_claim: VolumeClaim | None = Field(
        None, description="The claim to make when claimName is absent. Default: one with the defaults of its fields."
    )
    mount_path: Path = Field("/workspace", description="Where pods see the volume. Default: /workspace.")
    repository: Annotated[str, StringConstraints(max_length=256)] = Field(
        "repository", description="Path of the git repository in the volume. Default: repository."
    )
    worktrees: Annotated[str, StringConstraints(max_length=256)] = Field(
        "worktrees", description="Folder in the volume that holds one worktree per task. Default: worktrees."
    )


class ContractSpec(Model):
    """What people want of a contract."""

    type: Label = Field(
        "simple",
        description="Type: the built-in simple, specification or execute, or a ContractType of this namespace. "
        "Ignored when phases is set. Immutable. Default: simple.",
    )
    description: Text | None = Field(None, description="What the work is, 8192 characters at most. Default: none.")
    phases: PhaseList | None = Field(
        None, description="Phases of this contract alone. Immutable. Default: those of the type."
    )
    phase_guard: bool = Field(
        False,
        description="True: every move to the next phase, completion included, waits for a confirmation by somebody who "
        "has the verb confirm. Default: false.",
    )
    auto_complete: bool = Field(
        True,
        description="False: the contract does not complete by itself after its last phase; phases still advance. "
        "Default: true.",
    )
    suspend: bool = Field(
        False,
        description="True pauses the contract: deadlines stand still, nothing advances. Default: false.",
    )
    suspend_reason: Sentence | None = Field(None, description="Why it is paused. Default: none.")
    archived: bool = Field(
        False,
        description="True archives a contract that is Created, Paused, Completed or Failed; final. Default: false.",
    )
    advance: AdvanceRequest | None = Field(
        None, description="A move asked for; see status.advance for what became of it. Default: none."
    )
    retry: RetryRequest | None = Field(None, description="Take a Failed contract up again. Default: none.")
    restart_supervisor: RestartRequest | None = Field(None, description="Restart the supervisor. Default: none.")
    clear_workspace: ClearRequest | None = Field(None, description="Clear the workspace up now. Default: none.")
    deliverables: Annotated[
        tuple[ReportedDeliverable, ...], ListMap(("phase", "id")), StartsEmpty(), Field(max_length=bounds.DELIVERABLES)
    ] = Field(
        (),
        description="Deliverables reported complete. Append with a JSON patch (add /spec/deliverables/-), or use "
        "server-side apply; a merge patch overwrites the list. Default: empty.",
    )
    answers: Annotated[
        tuple[Answer, ...], ListMap(("questionId",)), StartsEmpty(), Field(max_length=bounds.ANSWERS)
    ] = Field(
        (),
        description="Answers to open questions. Append with a JSON patch (add /spec/answers/-), or use server-side "
        "apply; a merge patch overwrites the list. Default: empty.",
    )
    supervisor: SupervisorSettings | None = Field(
        None, description="The supervisor to run. Default: none, an external one registers itself."
    )
    task_templates: Annotated[tuple[TaskTemplate, ...], ListMap(("name",)), Field(max_length=bounds.TASK_TEMPLATES)] = (
        Field((), description="The only pods that the supervisor may ask for as tasks. Default: none.")
    )
    workspace: Workspace | None = Field(None, description="A volume shared by supervisor and tasks. Default: none.")
    stale_after_seconds: int | None = Field(
        None,
        ge=1,
        le=31536000,
        description="Seconds without activity after which the contract is stale. Default: the operator's "
        "stale_threshold_minutes (30 minutes).",
    )
    progress_deadline_seconds: int | None = Field(
        None,
        ge=1,
        le=31536000,
        description="Seconds with heartbeats but nothing else happening after which Progressing is False. "
        "Default: not watched.",
    )
    ttl_seconds_after_finished: int | None = Field(
        None,
        ge=0,
        le=315360000,
        description="Seconds after Completed or Failed until the contract is deleted, once its history is recorded. "
        "Default: never.",
    )
