"""What people ask of a contract, and what they are answered. Unknown fields are refused: a typing error is no wish."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, model_validator

from makima.models.bounds import Digest, Label, ObjectName, Sentence, Uri
from makima.models.pod_template import LabelKey, LabelValue
from makima.models.wire.contracts import ContractSummary, DeliverableView, State
from makima.models.wire.message import Message, Plain

NAME_PREFIX = r"^[a-z0-9][-.a-z0-9]*$"
Version = Annotated[int, Field(ge=1, le=2**53, strict=True)]
Reason = Annotated[Sentence, Plain]
Result = Literal["success", "pending"]
"""`pending`: it is recorded in the contract's spec, and the operator has not taken it up within the wait."""


class Wish(Message):
    """Base of what people send."""

    model_config = ConfigDict(extra="forbid")


class CreateContract(Wish):
    """A new contract."""

    namespace: Label
    name: ObjectName | None = None
    generate_name: Annotated[str, Field(min_length=1, max_length=200, pattern=NAME_PREFIX)] | None = Field(
        None, description="Beginning of a name that the API server makes up; instead of `name`."
    )
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=64)
    annotations: dict[LabelKey, Annotated[str, Field(max_length=4096), Plain]] = Field(
        default_factory=dict, max_length=64
    )
    spec: dict[str, Any] = Field(
        default_factory=dict, description="Contract.spec as in docs/reference/custom-resources.md, names in camelCase."
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.name is None) == (self.generate_name is None):
            raise ValueError("say either name or generate_name")
        return self


class ChangePhase(Wish):
    """Move on to the next phase, or to `Completed` from the last one."""

    phase: Label | Literal["Completed"] | None = Field(
        None, description="Where to; `completed` is `Completed`. Default: wherever the contract goes from here."
    )
    expected_version: Version = Field(description="`version` of the contract that the move is for.")
    confirmed: StrictBool = Field(
        False, description="True passes the phase guard; needs the RBAC verb confirm on this contract."
    )
    force: StrictBool = Field(False, description="True moves although the gate is not ready; never skips the guard.")
    reason: Reason = Field("", description="Why, for the history.")


class PhaseChanged(Message):
    """The plan's PhaseChangeResult::Success; every other result is an error."""

    result: Result
    message: str
    contract: ContractSummary


class ChangeStatus(Wish):
    """`paused`, `active` (go on after a pause, or retry after a failure) or `archived`."""

    status: State
    expected_version: Version | None = Field(None, description="Only if the contract has this version. Default: any.")
    reason: Reason = Field("", description="Why it is paused.")


class StatusChanged(Message):
    """What became of it."""

    result: Result
    changed: bool = Field(description="False: it was so already.")
    message: str
    contract: ContractSummary


class ReportDeliverable(Wish):
    """A deliverable is there. `id` and `deliverable_id` are the same; one of them is needed."""

    id: Label | None = None
    deliverable_id: Label | None = None
    phase: Label | None = Field(None, description="Phase that it belongs to. Default: the current one.")
    uri: Uri | None = None
    digest: Digest | None = None

    @model_validator(mode="after")
    def _which(self) -> Self:
        if (self.id is None) == (self.deliverable_id is None):
            raise ValueError("say either id or deliverable_id")
        return self

    @property
    def identifier(self) -> str:
        """Which one."""
        return self.id or self.deliverable_id or ""


class DeliverableReported(Message):
    """What became of it."""

    result: Result
    changed: bool = Field(description="False: it was reported already; nothing happened again.")
    deliverable: DeliverableView
    contract: ContractSummary


class AnswerQuestion(Wish):
    """A person's answer."""

    answer: Annotated[str, Field(min_length=1, max_length=2048), Plain]


class QuestionAnswered(Message):
    """What became of it."""

    result: Result
    changed: bool = Field(description="False: exactly this answer was given already.")
    question_id: UUID
    contract: ContractSummary


class SetAutoComplete(Wish):
    """Whether the contract completes by itself (plan 2.4)."""

    enabled: StrictBool


class RestartSupervisor(Wish):
    """End the current life of the supervisor; the next one restores."""

    expected_incarnation: Annotated[int, Field(ge=0, le=2**53, strict=True)] | None = Field(
        None, description="Life to end; a later one is left alone. Default: the current one."
    )


class SupervisorRestarted(Message):
    """What became of it."""

    result: Result
    restarted: bool = Field(description="A later life has begun.")
    incarnation: int = Field(ge=0, description="The life that carries the contract now.")


class ContractDeleted(Message):
    """The contract is gone, or goes as soon as nothing holds it; its history stays."""

    deleted: bool = True
    contract: ContractSummary
