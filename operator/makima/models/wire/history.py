"""What happened to a contract, as REST shows it: events, page by page, or everything at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from makima.models.wire.contracts import ContractDetail, QuestionView
from makima.models.wire.message import Message
from makima.models.wire.registration import RestoredMessage
from makima.models.wire.work import TaskReport


class HistoryEntry(Message):
    """One event; `payload` has the plan's fields of its type."""

    seq: int = Field(ge=1, description="Rises in commit order, over all contracts.")
    id: UUID
    type: str
    at: datetime
    contract_id: UUID
    namespace: str
    name: str
    version: int | None = None
    actor: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)


class HistoryPage(Message):
    """Events of a contract, oldest first."""

    events: tuple[HistoryEntry, ...] = ()
    next_after: int = Field(description="Ask with `after` = this for what comes next.")
    more: bool = Field(False, description="There are more already: later ones, with `before` earlier ones.")


class Exported(Message):
    """Everything about one contract.

    Attributes:
        resource: the Kubernetes object without bookkeeping, as kubectl shows it: its `status.state` is one of the nine
            whatever the flags, and `contract` has the status for clients that know three. None if it is gone.
        messages: of the supervisor's conversation, where they were asked for.
        truncated: which of the lists are not whole; the other calls have the rest.
    """

    format: Literal["makima.dev/export/v1"] = "makima.dev/export/v1"
    exported_at: datetime
    contract: ContractDetail
    resource: dict[str, Any] | None = None
    history: tuple[HistoryEntry, ...] = ()
    tasks: tuple[TaskReport, ...] = ()
    questions: tuple[QuestionView, ...] = ()
    messages: tuple[RestoredMessage, ...] | None = None
    truncated: tuple[Literal["history", "tasks", "questions", "messages"], ...] = ()
