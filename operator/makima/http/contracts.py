"""One contract, as people read it: the resource while it lives, its history for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from makima.domain.durations import parse_duration
from makima.http.addressed import Calling, located
from makima.http.strict_route import StrictRoute
from makima.http.use_cases import UseCases
from makima.models.bounds import Label
from makima.models.wire.contracts import (
    CompletionCheck,
    ContractDetail,
    ContractPage,
    DeliverableList,
    PhaseReadiness,
    QuestionPage,
    TaskPage,
)
from makima.models.wire.history import Exported, HistoryPage
from makima.models.wire.message import Plain
from makima.models.wire.problem import Code
from makima.services.access.contract_lookup import Located
from makima.services.reads import cursor
from makima.services.reads.contract_lists import Wanted
from makima.services.refusals import refusal

CONTRACT = "/api/v1/contracts/{id}"
PAGE = 500
"""Entries of a page at most."""

FILTERS = 64
"""Values of one filter at most."""

Text = Annotated[str, Plain]
Several = Query(max_length=FILTERS, description="Any of these; may be said several times.")
Statuses = Annotated[
    tuple[Text, ...],
    Query(
        max_length=FILTERS,
        description="Any of the nine states, several times or with commas; with the flag "
        "`enhanced_contract_status` off, any of the three old statuses.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=PAGE, description="Entries at most.")]
Cursor = Annotated[
    Text | None, Query(max_length=cursor.LENGTH, description="`next_cursor` of the page before, for the same query.")
]
After = Annotated[int, Query(ge=0, le=2**53, description="Sequence number of the last event already known.")]
Before = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**53,
        description="The newest events with a lower number instead, oldest first all the same; "
        "9007199254740992 (2^53) for the newest of all. `after` says nothing then.",
    ),
]


def contract_routes(use: UseCases) -> APIRouter:
    """The routes of these calls."""
    router = APIRouter(tags=["contracts"], route_class=StrictRoute)
    contract = Depends(located(use))

    @router.get(CONTRACT, operation_id="get_contract")
    async def get(found: Located = contract) -> ContractDetail:
        """One contract, as it is now; one that is gone as it was recorded last."""
        return use.contracts.reads.detail(found)

    @router.get(f"{CONTRACT}/deliverables", operation_id="list_deliverables")
    async def deliverables(found: Located = contract) -> DeliverableList:
        """Every deliverable of every phase, and whether it is there."""
        return use.contracts.reads.deliverables(found)

    @router.get(f"{CONTRACT}/tasks", operation_id="list_tasks")
    async def tasks(found: Located = contract, limit: Limit = 100, cursor: Cursor = None) -> TaskPage:
        """Every task that the contract ever had, oldest first."""
        return await use.contracts.reads.tasks(found, cursor, limit)

    @router.get(f"{CONTRACT}/questions", operation_id="list_questions")
    async def questions(
        found: Located = contract,
        only_open: Annotated[bool, Query(alias="open", description="Only those without an answer.")] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> QuestionPage:
        """Every question that was asked, with its answer, oldest first."""
        return await use.contracts.reads.questions(found, cursor, limit, only_open=only_open)

    @router.get(f"{CONTRACT}/export", operation_id="export_contract")
    async def export(
        who: Calling,
        found: Located = contract,
        messages: Annotated[
            bool, Query(description="With the supervisor's conversation; needs `get` on supervisors.")
        ] = False,
    ) -> Exported:
        """Everything about the contract as one JSON, also of one that is gone; environment values are hidden."""
        return await use.contracts.exports.export(who.identity, found, messages=messages)

    @router.get(f"{CONTRACT}/events", operation_id="list_events")
    async def events(
        found: Located = contract, after: After = 0, before: Before = None, limit: Limit = 100
    ) -> HistoryPage:
        """What happened to the contract, oldest first; also of contracts that are gone."""
        if before is not None:
            return await use.contracts.reads.newest_events(found, before, limit)
        return await use.contracts.reads.events(found, after, limit)

    return router


def list_routes(use: UseCases) -> APIRouter:
    """The list."""
    router = APIRouter(tags=["contracts"], route_class=StrictRoute)

    @router.get("/api/v1/contracts", operation_id="list_contracts")
    async def contracts(
        who: Calling,
        *,
        status: Statuses = (),
        phase: Annotated[tuple[Text, ...], Several] = (),
        contract_type: Annotated[
            tuple[Text, ...], Query(alias="type", max_length=FILTERS, description="Any of these.")
        ] = (),
        namespace: Annotated[tuple[Label, ...], Several] = (),
        label: Annotated[tuple[Text, ...], Query(max_length=FILTERS, description="`key=value`, all of them.")] = (),
        name: Annotated[Text | None, Query(max_length=253, description="Exactly this name.")] = None,
        stale: Annotated[bool, Query(description="Only those that have been silent for too long.")] = False,
        threshold: Annotated[
            Text | None, Query(max_length=32, description="How long that is: 30m, 2h, 1d. Default: as configured.")
        ] = None,
        waiting: Annotated[bool, Query(description="Only those that wait for input.")] = False,
        gone: Annotated[bool, Query(description="Those that are gone, instead of those that exist.")] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> ContractPage:
        """Contracts that the caller may list, newest first, as far as the projection has them.

        Each call looks at a bounded number of rows, so a page may have fewer entries than `limit`, even none, and go on
        all the same: only a `next_cursor` of null is the end.
        """
        wanted = Wanted(
            statuses=tuple(one for text in status for one in text.split(",")),
            phases=phase,
            types=contract_type,
            namespaces=namespace,
            labels=label,
            name=name,
            stale=stale,
            threshold=_duration(threshold),
            waiting=waiting,
            gone=gone,
        )
        return await use.contracts.lists.page(who.identity, wanted, cursor, limit)

    return router


def _duration(text: str | None) -> timedelta | None:
    try:
        return parse_duration(text) if text is not None else None
    except ValueError as error:
        raise refusal(
            Code.VALIDATION_FAILED, f"threshold: {error}", field="threshold", hint="say 45s, 30m, 2h or 1d"
        ) from None


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
