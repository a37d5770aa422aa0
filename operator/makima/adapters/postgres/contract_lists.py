"""`makima.contract_stores.ContractLists`: pages of the projection, each at a bounded price (queries/lists.sql)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from makima.adapters.postgres.database import Database
from makima.adapters.postgres.decoding import contract_row
from makima.adapters.postgres.sql import load
from makima.models.contract_filter import ContractFilter, ListedContract, ListedPage
from makima.models.history import Place

SQL = load("lists")
EVERYWHERE = (SQL["end_everywhere"], SQL["page_everywhere"])
IN_NAMESPACES = (SQL["end_in_namespaces"], SQL["page_in_namespaces"])

ROWS = 2500
"""Rows that one call looks at."""

LAST_ID = UUID(int=2**128 - 1)


class PostgresContractLists:
    """Lists of contracts, also of those that are gone."""

    def __init__(self, database: Database, rows: int = ROWS) -> None:
        self._database, self._rows = database, rows

    async def page(self, wanted: ContractFilter, after: Place | None, limit: int, now: datetime) -> ListedPage:
        """The next contracts that fit, newest first, at most `limit`; and where to go on.

        Raises:
            HistoryUnavailable: Postgres is away.
            ValuesRefused: it can't look for what is wanted.
        """
        end, page = EVERYWHERE if wanted.namespaces is None else IN_NAMESPACES
        parameters = _parameters(wanted, after, now) | {"rows": self._share(wanted), "limit": limit + 1}
        last = await self._end(end, parameters) if _leaves_out(wanted) else None
        until = {"end_at": last.at, "end_id": last.id} if last else {"end_at": "-infinity", "end_id": UUID(int=0)}
        found = [_listed(row) for row in await self._query(page, parameters | until)]
        if len(found) > limit:
            row = found[limit - 1].row
            last = Place(row.created_at, row.uid)
        return ListedPage(tuple(found[:limit]), last)

    async def _end(self, query: bytes, parameters: dict[str, Any]) -> Place | None:
        """The last row that this call looks at; None = it looks at all that are left."""
        found = await self._query(query, parameters)
        return Place(found[0]["created_at"], found[0]["uid"]) if found else None

    async def caught_up_at(self) -> datetime | None:
        """The moment up to which the list has everything that every operator knew."""
        found: datetime | None = (await self._database.rows(SQL["caught_up"]))[0]["caught_up_at"]
        return found

    def _share(self, wanted: ContractFilter) -> int:
        """Rows to be looked at in each namespace, or everywhere."""
        return max(self._rows // max(len(wanted.namespaces or ()), 1), 1)

    async def _query(self, query: bytes, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Never prepared: a plan for all parameters at once would use no index."""
        return await self._database.rows(query, parameters, prepare=False)


def _leaves_out(wanted: ContractFilter) -> bool:
    """Whether rows are read that do not fit. Where an index has exactly those that do, the page itself is a bound."""
    by_status = wanted.statuses is not None and (len(wanted.statuses) != 1 or wanted.namespaces is not None)
    others = (wanted.phases, wanted.types, wanted.name is not None, wanted.labels, wanted.stale, wanted.gone)
    return by_status or any(others)


def _parameters(wanted: ContractFilter, after: Place | None, now: datetime) -> dict[str, Any]:
    one = wanted.statuses[0] if wanted.statuses is not None and len(wanted.statuses) == 1 else None
    return {
        "at": after.at if after else "infinity",
        "id": after.id if after else LAST_ID,
        "gone": wanted.gone,
        "status": one,
        "statuses": None if wanted.statuses is None else list(wanted.statuses),
        "namespaces": None if wanted.namespaces is None else sorted(wanted.namespaces),
        "phases": list(wanted.phases) or None,
        "types": list(wanted.types) or None,
        "name": wanted.name,
        "labels": json.dumps(dict(wanted.labels)) if wanted.labels else None,
        "stale": wanted.stale,
        "threshold": wanted.threshold_seconds,
        "usual_threshold": wanted.usual_threshold_seconds,
        "now": now,
    }


def _listed(row: dict[str, Any]) -> ListedContract:
    stale = bool(row.pop("stale"))
    return ListedContract(contract_row(row), stale)
