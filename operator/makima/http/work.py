"""Tasks, questions, deliverables and moves: what a supervisor reports about its contract (ADR 0006, "Calls")."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends

from makima.http.caller import Caller
from makima.http.supervisors import ROOT
from makima.http.use_cases import SupervisorCalls
from makima.models.wire.work import (
    Accepted,
    Advanced,
    AskAdvance,
    AskQuestion,
    CompleteDeliverable,
    EndTask,
    SpawnTask,
)
from makima.services.access.identity import Identity


def work_routes(use: SupervisorCalls) -> APIRouter:
    """The routes of these calls."""
    router = APIRouter(tags=["work"])
    caller = Depends(Caller(lambda: use.authentication))

    @router.post(f"{ROOT}/tasks", operation_id="spawn_task")
    async def spawn(contract_id: UUID, call: SpawnTask, who: Identity = caller) -> Accepted:
        """A new task in the current phase."""
        return await use.reports.spawn(who, contract_id, call)

    @router.post(f"{ROOT}/tasks/{{task_id}}/complete", operation_id="complete_task")
    async def complete(contract_id: UUID, task_id: UUID, call: EndTask, who: Identity = caller) -> Accepted:
        """The task is done."""
        return await use.reports.end(who, contract_id, task_id, call, failed=False)

    @router.post(f"{ROOT}/tasks/{{task_id}}/fail", operation_id="fail_task")
    async def fail(contract_id: UUID, task_id: UUID, call: EndTask, who: Identity = caller) -> Accepted:
        """The task failed."""
        return await use.reports.end(who, contract_id, task_id, call, failed=True)

    @router.post(f"{ROOT}/questions", operation_id="ask_question")
    async def ask(contract_id: UUID, call: AskQuestion, who: Identity = caller) -> Accepted:
        """Ask a person; the answer comes as a command."""
        return await use.reports.ask(who, contract_id, call)

    @router.post(f"{ROOT}/deliverables", operation_id="complete_deliverable")
    async def deliverable(contract_id: UUID, call: CompleteDeliverable, who: Identity = caller) -> Accepted:
        """A deliverable is there."""
        return await use.reports.complete(who, contract_id, call)

    @router.post(f"{ROOT}/advance", operation_id="ask_advance")
    async def advance(contract_id: UUID, call: AskAdvance, who: Identity = caller) -> Advanced:
        """Move to the next phase, if gate and guard allow it; an outcome other than success is no error."""
        return await use.reports.advance(who, contract_id, call)

    return router
