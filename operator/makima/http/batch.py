"""Bulk operations (plan 5.3; flag `monitoring_dashboard`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from makima.http.caller import calling
from makima.http.strict_route import StrictRoute
from makima.models.bounds import Label
from makima.models.wire.batch import BatchReport, BatchReported, BatchRequest, BatchResult
from makima.services.access.person import Person
from makima.services.wishes.batch import BatchOperations

NAMESPACES = 100


def batch_routes(operations: BatchOperations) -> APIRouter:
    """The route of bulk operations."""
    router = APIRouter(tags=["batch"], route_class=StrictRoute)
    caller = Depends(calling)

    @router.post("/api/v1/contracts/batch", operation_id="batch_contracts")
    async def batch(
        call: BatchRequest,
        namespace: Annotated[
            list[Label] | None, Query(max_length=NAMESPACES, description="Only these; repeatable. As in the body.")
        ] = None,
        who: Person = caller,
    ) -> BatchResult:
        """Do the same to many contracts; what went wrong with some is in `errors`, the others are done.

        Needs the verb `batch` on contracts, and for each write what it needs when made alone: it is made as the caller.
        """
        return await operations.run(who, call, frozenset(namespace or ()))

    @router.post("/api/v1/contracts/batch/report", operation_id="report_batch")
    async def report(call: BatchReport, who: Person = caller) -> BatchReported:
        """Say what became of a run that was asked for with `by_caller`, so that its record has an end."""
        return await operations.report(who, call)

    return router
