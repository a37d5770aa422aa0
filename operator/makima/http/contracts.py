"""One contract, as people read it: the resource while it lives, its history for ever."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from makima.http.addressed import located
from makima.http.strict_route import StrictRoute
from makima.http.use_cases import UseCases
from makima.models.wire.contracts import (
    CompletionCheck,
    ContractDetail,
    DeliverableList,
    HistoryPage,
    PhaseReadiness,
    QuestionPage,
    TaskPage,
)
from makima.services import cursor
from makima.services.contract_lookup import Located

CONTRACT = "/api/v1/contracts/{id}"
PAGE = 500
"""Entries of a page at most."""

Limit = Annotated[int, Query(ge=1, le=PAGE, description="Entries at most.")]
Cursor = Annotated[
    str | None, Query(max_length=cursor.LENGTH, description="`next_cursor` of the page before, for the same query.")
]
After = Annotated[int, Query(ge=0, le=2**53, description="Sequence number of the last event already known.")]


def contract_routes(use: UseCases) -> APIRouter:
    """The routes of these calls."""
    router = APIRouter(tags=["contracts"], route_class=StrictRoute)
    reads = use.contracts.reads
    contract = Depends(located(use))

    @router.get(CONTRACT, operation_id="get_contract")
    async def get(found: Located = contract) -> ContractDetail:
        """One contract, as it is now; one that is gone as it was recorded last."""
        return reads.detail(found)

    @router.get(f"{CONTRACT}/deliverables", operation_id="list_deliverables")
    async def deliverables(found: Located = contract) -> DeliverableList:
        """Every deliverable of every phase, and whether it is there."""
        return reads.deliverables(found)

    @router.get(f"{CONTRACT}/tasks", operation_id="list_tasks")
    async def tasks(found: Located = contract, limit: Limit = 100, cursor: Cursor = None) -> TaskPage:
        """Every task that the contract ever had, oldest first."""
        return await reads.tasks(found, cursor, limit)

    @router.get(f"{CONTRACT}/questions", operation_id="list_questions")
    async def questions(
        found: Located = contract,
        only_open: Annotated[bool, Query(alias="open", description="Only those without an answer.")] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> QuestionPage:
        """Every question that was asked, with its answer, oldest first."""
        return await reads.questions(found, cursor, limit, only_open=only_open)

    @router.get(f"{CONTRACT}/events", operation_id="list_events")
    async def events(found: Located = contract, after: After = 0, limit: Limit = 100) -> HistoryPage:
        """What happened to the contract, oldest first; also of contracts that are gone."""
        return await reads.events(found, after, limit)

    return router


def readiness_routes(use: UseCases) -> APIRouter:
    """Gates and completion (flag `auto_complete`)."""
    router = APIRouter(tags=["phases"], route_class=StrictRoute)
    contract = Depends(located(use))

    @router.get(f"{CONTRACT}/phase-readiness", operation_id="get_phase_readiness")
    async def readiness(found: Located = contract) -> PhaseReadiness:
        """Whether the current phase is done, and what is missing; a phase without a gate is ready, and left by hand."""
        return await use.contracts.checks.phase(found.live())

    @router.post(f"{CONTRACT}/check-completion", operation_id="check_completion")
    async def completion(found: Located = contract) -> CompletionCheck:
        """Whether everything is there, and whether the contract completes by itself now. Changes nothing."""
        return await use.contracts.checks.completion(found.live())

    return router
