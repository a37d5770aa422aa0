"""What people change: each call is one field of the contract's spec, written to the API server as the caller."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from makima.http.addressed import Calling, located
from makima.http.contracts import CONTRACT
from makima.http.strict_route import StrictRoute
from makima.http.use_cases import UseCases
from makima.models.wire.contracts import ContractDetail, ContractSummary
from makima.models.wire.wishes import (
    AnswerQuestion,
    ChangePhase,
    ChangeStatus,
    ContractDeleted,
    CreateContract,
    DeliverableReported,
    PhaseChanged,
    QuestionAnswered,
    ReportDeliverable,
    RestartSupervisor,
    Result,
    SetAutoComplete,
    StatusChanged,
    SupervisorRestarted,
)
from makima.services.access.contract_lookup import Located
from makima.services.wishes.settling import LONGEST_WAIT

Answer = TypeVar("Answer")

Wait = Annotated[
    float,
    Query(ge=0, le=LONGEST_WAIT, allow_inf_nan=False, description="Seconds to wait for what the operator makes of it."),
]
ExpectedVersion = Annotated[int | None, Query(ge=1, le=2**53, description="Only if the contract has this version.")]


def wish_routes(use: UseCases) -> APIRouter:
    """Making, moving and ending contracts."""
    router = APIRouter(tags=["contracts"], route_class=StrictRoute)
    contract = Depends(located(use))

    @router.post("/api/v1/contracts", operation_id="create_contract", status_code=201)
    async def create(call: CreateContract, who: Calling, wait: Wait = 2) -> ContractDetail:
        """Make a contract. `accepted` says whether the operator has taken it up within the wait."""
        return await use.contracts.wishes.create(who, call, wait)

    @router.delete(CONTRACT, operation_id="delete_contract")
    async def delete(
        who: Calling, found: Located = contract, expected_version: ExpectedVersion = None
    ) -> ContractDeleted:
        """Delete the contract, with its supervisor and tasks; the history stays."""
        return await use.contracts.wishes.delete(who, found, expected_version)

    @router.post(f"{CONTRACT}/phase", operation_id="change_phase", responses=pending(PhaseChanged))
    async def phase(
        call: ChangePhase, who: Calling, response: Response, found: Located = contract, wait: Wait = 5
    ) -> PhaseChanged:
        """Move on to the next phase, or complete. Refused without leaving a trace where the move can't be made."""
        answer = await use.contracts.moves.move(who, found, call, wait)
        return _answered(response, answer, answer.result)

    @router.post(f"{CONTRACT}/deliverables", operation_id="report_deliverable", responses=pending(DeliverableReported))
    async def deliverable(
        call: ReportDeliverable, who: Calling, response: Response, found: Located = contract, wait: Wait = 5
    ) -> DeliverableReported:
        """A deliverable is there; reporting it again changes nothing."""
        answer = await use.contracts.inputs.deliverable(who, found, call, wait)
        return _answered(response, answer, answer.result)

    @router.post(
        f"{CONTRACT}/questions/{{question_id}}/answer",
        operation_id="answer_question",
        responses=pending(QuestionAnswered),
    )
    async def answer(
        *,
        question_id: UUID,
        call: AnswerQuestion,
        who: Calling,
        response: Response,
        found: Located = contract,
        wait: Wait = 5,
    ) -> QuestionAnswered:
        """Answer an open question; the first answer stays."""
        given = await use.contracts.inputs.answer(who, found, question_id, call, wait)
        return _answered(response, given, given.result)

    return router


def status_routes(use: UseCases) -> APIRouter:
    """Pause, go on, retry, archive (flag `enhanced_contract_status`)."""
    router = APIRouter(tags=["contracts"], route_class=StrictRoute)
    contract = Depends(located(use))

    @router.post(f"{CONTRACT}/status", operation_id="change_status", responses=pending(StatusChanged))
    async def status(
        call: ChangeStatus, who: Calling, response: Response, found: Located = contract, wait: Wait = 5
    ) -> StatusChanged:
        """Have the contract paused, active (after a pause, or after a failure: retried) or archived."""
        answer = await use.contracts.wishes.status(who, found, call, wait)
        return _answered(response, answer, answer.result)

    return router


def auto_complete_routes(use: UseCases) -> APIRouter:
    """Completion by itself (flag `auto_complete`)."""
    router = APIRouter(tags=["phases"], route_class=StrictRoute)
    contract = Depends(located(use))

    @router.put(f"{CONTRACT}/auto-complete", operation_id="set_auto_complete")
    async def auto_complete(call: SetAutoComplete, who: Calling, found: Located = contract) -> ContractSummary:
        """Whether the contract completes by itself after its last phase; phases still advance."""
        return await use.contracts.wishes.auto_complete(who, found, call.enabled)

    return router


def restart_routes(use: UseCases) -> APIRouter:
    """Restarting a supervisor (flag `supervisor_heartbeat`)."""
    router = APIRouter(tags=["supervisors"], route_class=StrictRoute)
    contract = Depends(located(use))

    @router.post(
        f"{CONTRACT}/supervisor/restart", operation_id="restart_supervisor", responses=pending(SupervisorRestarted)
    )
    async def restart(
        who: Calling,
        response: Response,
        call: RestartSupervisor | None = None,
        found: Located = contract,
        wait: Wait = 5,
    ) -> SupervisorRestarted:
        """End the life that carries the contract; the next one restores."""
        answer = await use.contracts.restarts.restart(who, found, call or RestartSupervisor(), wait)
        return _answered(response, answer, answer.result)

    return router


def pending(model: type) -> dict[int | str, dict[str, object]]:
    """The answer of a call whose wish is recorded, and not taken up yet."""
    return {202: {"model": model, "description": "Recorded; the operator has not taken it up within the wait."}}


def _answered(response: Response, answer: Answer, result: Result) -> Answer:
    response.status_code = 202 if result == "pending" else 200
    return answer
