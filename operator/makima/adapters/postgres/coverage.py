"""`makima.stores.CoverageStore`: when the ingest could take heartbeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from makima.adapters.postgres.database import Database
from makima.adapters.postgres.fencing import writing
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_rows import span_row
from makima.models.supervision import Span

SQL = load("coverage")

KEPT = timedelta(days=7)


class PostgresCoverage:
    """`ingest_coverage`: one row for each span of each instance; readers merge what overlaps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def extend(self, instance: str, span: Span) -> None:
        """This instance's span goes on until `span.until_at`; a new `started_at` begins a new span.

        Whoever begins a span, which alone makes the table grow, removes what ended more than 7 days before.
        """
        row = {"instance": instance, "started_at": span.started_at, "until_at": span.until_at}
        async with writing(self._database) as connection:
            found = await (await connection.execute(SQL["extend"], row)).fetchone()
            if found is not None and found["began"]:
                await connection.execute(SQL["forget"], {"before": span.until_at - KEPT})

    async def spans(self, since: datetime) -> Sequence[Span]:
        """Spans of all instances that end after `since`, by start."""
        return [span_row(row) for row in await self._database.rows(SQL["spans"], {"since": since})]
