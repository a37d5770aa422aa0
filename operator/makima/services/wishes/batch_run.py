"""A run of a bulk operation: the contracts that it may be for, how far it got, and what runs talk to."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makima.domain.settings import Settings
from makima.domain.wishes.batch import Selection
from makima.errors import ClusterError, Denied
from makima.models.wire.batch import BatchReport, BatchRequest, BatchResult, ItemError, RunResult
from makima.ports import AsCaller, Clock, ContractReader
from makima.services.access.person import Person
from makima.services.refusals import refused_by
from makima.services.wishes.hand import refused_write

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contract that a run may be for, as the projection has it; `heard` is its last sign of life."""

    id: UUID
    namespace: str
    name: str
    heard: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchRun:
    """One run, for the record: who, what, where, when.

    Attributes:
        namespaces: None = everywhere.
    """

    id: UUID
    who: Person
    request: BatchRequest
    namespaces: tuple[str, ...] | None
    started_at: datetime


class BatchStore(Protocol):
    """What bulk operations need of Postgres. Methods raise `makima.errors.HistoryUnavailable`."""

    async def candidates(
        self, chosen: Selection, namespaces: tuple[str, ...] | None, settings: Settings, now: datetime, most: int
    ) -> Sequence[Candidate]:
        """Contracts that are meant, longest so first."""
        ...

    async def begin(self, run: BatchRun) -> None:
        """Record that it begins."""
        ...

    async def finish(self, run: BatchRun, result: BatchResult, word: RunResult, at: datetime) -> None:
        """Record what became of it."""
        ...

    async def reported(self, who: Person, report: BatchReport, word: RunResult, at: datetime) -> str | None:
        """Record what became of a run whose writes its caller made; its operation, or None where there is none."""
        ...


class BatchMetrics(Protocol):
    """What is counted of runs."""

    def batch_operation(self, operation: str, result: str) -> None:
        """One more `batch_operations_total`."""
        ...


@dataclass(frozen=True, slots=True)
class BatchPorts:
    """Everything that runs talk to.

    Attributes:
        reader: reads contracts with the service's own account.
    """

    store: BatchStore
    reader: ContractReader
    writes: AsCaller
    metrics: BatchMetrics
    clock: Clock


@dataclass(slots=True)
class Progress:
    """How far a run got.

    Attributes:
        left_over: contracts that it is for and did not get to.
        unknown: the API server does not take the caller's token.
    """

    affected: list[UUID] = field(default_factory=list)
    errors: list[ItemError] = field(default_factory=list)
    left_over: int = 0
    unknown: bool = False

    def failed(self, run: BatchRun, item: Candidate, error: Exception) -> None:
        """The contract was not changed."""
        if isinstance(error, Denied):
            error = refused_write(error, None)
        if isinstance(error, ClusterError):
            log.info("batch %s: %s/%s: %s", run.id, item.namespace, item.name, error.message)
        problem = refused_by(error).problem
        self.errors.append(ItemError(id=item.id, code=problem.code, message=problem.message))

    def word(self, run: BatchRun) -> RunResult:
        """What became of the whole run."""
        if run.request.dry_run:
            return "dry_run"
        if self.errors:
            return "partial" if self.affected else "failed"
        return "succeeded"

    def result(self, run: BatchRun, settings: Settings) -> BatchResult:
        """The answer to the call."""
        return BatchResult(
            operation=run.request.operation,
            affected_count=len(self.affected),
            affected_ids=tuple(self.affected),
            errors=tuple(self.errors),
            dry_run=run.request.dry_run,
            more=self.left_over > 0,
            batch_id=run.id,
            enhanced_contract_status=settings.enhanced_status,
        )
