"""Every route, in the order in which paths are matched."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter

from makima.http.batch import batch_routes
from makima.http.contracts import contract_routes, list_routes, readiness_routes
from makima.http.dashboard import dashboard_routes
from makima.http.supervisors import life_routes, reading_routes
from makima.http.use_cases import UseCases
from makima.http.wishes import auto_complete_routes, restart_routes, status_routes, wish_routes
from makima.http.work import work_routes


def every_router(use: UseCases) -> Iterator[APIRouter]:
    """The routers of what is switched on.

    Fixed paths (`/api/v1/contracts/dashboard`) have to come before those with an `{id}` in the same place.
    """
    if use.dashboards is not None:
        yield dashboard_routes(use.dashboards)
    if use.batch is not None:
        yield batch_routes(use.batch)
    yield list_routes(use)
    yield contract_routes(use)
    yield wish_routes(use)
    if use.settings.enhanced_status:
        yield status_routes(use)
    if use.settings.auto_complete:
        yield readiness_routes(use)
        yield auto_complete_routes(use)
    if use.supervision is not None:
        yield restart_routes(use)
        yield life_routes(use.supervision)
        yield reading_routes(use)
        yield work_routes(use.supervision)
