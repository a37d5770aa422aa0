"""`makima.services.wishes.batch_run.BatchStore`: which contracts a run may be for, and the record of runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from makima.adapters.postgres.database import Database
from makima.adapters.postgres.encoding import clean, to_json
from makima.adapters.postgres.fencing import writing
from makima.adapters.postgres.sql import load
from makima.domain.settings import Settings
from makima.domain.wishes.batch import Selection
from makima.models.wire.batch import BatchReport, BatchResult, ItemError, RunResult
from makima.services.access.person import Person
from makima.services.wishes.batch_run import BatchRun, Candidate

SQL = load("batch")


class PostgresBatch:
    """`batch_operations`, and the projection; see the protocol for what each method means."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def candidates(
        self, chosen: Selection, namespaces: tuple[str, ...] | None, settings: Settings, now: datetime, most: int
    ) -> Sequence[Candidate]:
        """Contracts that are meant, longest so first."""
        values = {
            "namespaces": list(namespaces) if namespaces is not None else None,
            "states": [state.snake for state in chosen.states],
            "before": chosen.before,
            "suspended": chosen.suspended,
            "now": now,
            "threshold": settings.stale_threshold,
            "most": most,
        }
        states = SQL["in_states"] if namespaces is None else SQL["in_states_of"]
        return [Candidate(**row) for row in await self._database.rows(SQL["stale"] if chosen.stale else states, values)]

    async def begin(self, run: BatchRun) -> None:
        """Record that it begins."""
        request = run.request
        values = {
            "id": run.id,
            "operation": request.operation.value,
            "requested_by": clean(run.who.identity.user),
            "requester_uid": clean(run.who.identity.uid),
            "namespaces": list(run.namespaces) if run.namespaces is not None else None,
            "request": to_json(request.model_dump(mode="json", exclude_defaults=True)),
            "dry_run": request.dry_run,
            "started_at": run.started_at,
        }
        async with writing(self._database) as connection:
            await connection.execute(SQL["begin"], values)

    async def finish(self, run: BatchRun, result: BatchResult, word: RunResult, at: datetime) -> None:
        """Record what became of it."""
        values = {
            "id": run.id,
            "result": word,
            "affected_ids": list(result.affected_ids),
            "errors": _errors(result.errors),
            "finished_at": at,
        }
        async with writing(self._database) as connection:
            await connection.execute(SQL["finish"], values)

    async def reported(self, who: Person, report: BatchReport, word: RunResult, at: datetime) -> str | None:
        """Record what became of a run whose writes its caller made; its operation, or None where there is none."""
        values = {
            "id": report.batch_id,
            "requested_by": clean(who.identity.user),
            "requester_uid": clean(who.identity.uid),
            "result": word,
            "affected_ids": list(report.affected_ids),
            "errors": _errors(report.errors),
            "finished_at": at,
        }
        async with writing(self._database) as connection:
            cursor = await connection.execute(SQL["reported"], values)
            row = await cursor.fetchone()
        return str(row["operation"]) if row is not None else None


def _errors(errors: Sequence[ItemError]) -> str:
    return f"[{','.join(to_json(error.model_dump(mode='json')) for error in errors)}]"
