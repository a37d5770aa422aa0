"""Bulk operations on contracts (plan 5.3): what is asked for, and what became of each contract."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from makima.models.bounds import Label
from makima.models.wire.message import Message
from makima.models.wire.monitor import WireStatus
from makima.models.wire.problem import Code

CONTRACTS = 1000
"""Most contracts of one run."""

HOURS = 24 * 365 * 10
WEEK = 168


class Operation(StrEnum):
    """The plan's five."""

    ARCHIVE_OLD = "archive_old"
    PAUSE_ALL = "pause_all"
    RESUME_ALL = "resume_all"
    CLEANUP_ARCHIVED = "cleanup_archived"
    RESTART_STALE = "restart_stale"


class BatchRequest(Message):
    """What to do, to which contracts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"operation": "archive_old", "older_than_hours": 168, "status_filter": ["completed", "failed"]},
                {"operation": "restart_stale", "namespaces": ["team-a"], "dry_run": True},
            ]
        },
    )

    operation: Operation = Field(
        description="archive_old: completed and failed contracts older than the threshold; pause_all: those under way; "
        "resume_all: paused ones; cleanup_archived: delete archived ones older than the threshold; restart_stale: "
        "restart the supervisors of stale ones."
    )
    older_than_hours: int | None = Field(
        None,
        ge=0,
        le=HOURS,
        strict=True,
        description=f"For archive_old and cleanup_archived: hours in that state at least. Default: {WEEK}.",
    )
    status_filter: Annotated[tuple[WireStatus, ...], Field(max_length=16)] = Field(
        (), description="For archive_old and pause_all: only contracts in one of these. Default: all that it is for."
    )
    namespaces: Annotated[tuple[Label, ...], Field(max_length=100)] = Field(
        (), description="Only there; the caller has to hold the verb batch in each. Default: wherever they hold it."
    )
    dry_run: bool = Field(False, strict=True, description="Only say which contracts it would be. Default: false.")
    by_caller: bool = Field(
        False,
        strict=True,
        description="The caller makes the writes, to those in `affected_ids`, and reports them: for credentials "
        "that the API server takes and nobody can forward, like a client certificate. Default: false.",
    )
    limit: int = Field(
        CONTRACTS, ge=1, le=CONTRACTS, strict=True, description="Most contracts, those longest in their state first."
    )


class ItemError(Message):
    """Why one contract was left as it is."""

    id: UUID
    code: Code
    message: Annotated[str, Field(max_length=4096)]


class BatchResult(Message):
    """What became of it. A contract that changed meanwhile, so that it is no longer meant, is in neither list."""

    operation: Operation
    affected_count: int = Field(ge=0)
    affected_ids: tuple[UUID, ...]
    errors: tuple[ItemError, ...] = ()
    dry_run: bool = False
    more: bool = Field(False, description="Contracts are left that it would be for: make the call again.")
    batch_id: UUID = Field(description="Of this run in the record of bulk operations.")
    enhanced_contract_status: bool = Field(
        True,
        description="Whether that flag is on. Off, each of the three old statuses in `status_filter` stood for several "
        "states (failed and completed for each other): callers that make the writes choose by it as well.",
    )


class BatchReport(Message):
    """What became of a run whose writes the caller made."""

    model_config = ConfigDict(extra="forbid")

    batch_id: UUID = Field(description="As the answer to the request gave it.")
    affected_ids: Annotated[tuple[UUID, ...], Field(max_length=CONTRACTS)] = ()
    errors: Annotated[tuple[ItemError, ...], Field(max_length=CONTRACTS)] = ()


class BatchReported(Message):
    """The report is recorded."""

    batch_id: UUID
    result: str = Field(description="succeeded, partial or failed.")


RunResult = Literal["succeeded", "partial", "failed", "dry_run", "interrupted", "running"]
"""What became of a run; `refused` runs are only counted."""
