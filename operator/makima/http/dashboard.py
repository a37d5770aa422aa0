"""The dashboard (plan 5.4; flag `monitoring_dashboard`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from makima.http.caller import calling
from makima.http.problems import JSON
from makima.http.strict_route import StrictRoute
from makima.models.bounds import Label
from makima.models.wire.dashboard import Dashboard
from makima.services.access.person import Person
from makima.services.reads.dashboard import Dashboards

NAMESPACES = 100


def dashboard_routes(dashboards: Dashboards) -> APIRouter:
    """The route of the dashboard."""
    router = APIRouter(tags=["dashboard"], route_class=StrictRoute)
    caller = Depends(calling)

    @router.get("/api/v1/contracts/dashboard", operation_id="get_dashboard", response_model=Dashboard)
    async def dashboard(
        namespace: Annotated[
            list[Label] | None, Query(max_length=NAMESPACES, description="Only these; repeatable. Default: all.")
        ] = None,
        who: Person = caller,
    ) -> Response:
        """Numbers and lists over all contracts that the caller may list; how old they may be is said, too."""
        found = await dashboards.dashboard(who.identity, frozenset(namespace or ()))
        return Response(found.model_dump_json(), media_type=JSON)

    return router
