"""What a supervisor reports about its contract: Postgres first, then the contract's status, then the answer.

So a gate never passes over a task that was acknowledged (design, "Ordering" 2). `decide` is asked before anything is
stored, and once more for the write: what would be refused leaves no trace. Repeating a call repeats nothing.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from makima.domain.reconcile.task_list import ENDED, first_state
from makima.domain.reconcile.validation import Verdict
from makima.domain.supervisor_calls import told
from makima.domain.supervisor_calls.told import AdvanceAnswer, Caller
from makima.errors import NotFound
from makima.models.enums import TaskState
from makima.models.supervision import Session, StoredQuestion, StoredTask
from makima.models.wire.problem import Code
from makima.models.wire.work import (
    Accepted,
    Advanced,
    AskAdvance,
    AskQuestion,
    CompleteDeliverable,
    EndTask,
    SpawnTask,
)
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.refusals import refusal
from makima.services.supervisor_calls.carried_work import Carried, CarriedWork
from makima.services.supervisor_calls.report_writes import Around, ReportWrites
from makima.stores import WorkStore


class ContractReports:
    """Tasks, questions, deliverables and moves."""

    def __init__(self, store: WorkStore, work: CarriedWork, rights: Authorization, around: Around) -> None:
        self._store, self._work, self._rights, self._around = store, work, rights, around
        self._writes = ReportWrites(work, around)

    async def spawn(self, identity: Identity, contract_id: UUID, call: SpawnTask) -> Accepted:
        """There is a new task, in the phase that the contract is in.

        Raises:
            Refused: whatever the contract refuses; what `Authorization.carrier` refuses.
            makima.errors.MakimaError: Superseded; Postgres or the API server is away.
        """
        session = await self._rights.carrier(identity, contract_id, call.incarnation)
        carried = await self._work.of(session)
        by, now = _caller(session, call.incarnation), self._around.clock.now()
        _must_have_template(carried, call)
        known = next((one for one in carried.status.tasks if one.id == str(call.id)), None)
        phase = known.phase if known is not None else carried.status.phase
        self._writes.must_be_taken(carried, told.SpawnTask(by, str(call.id), call.name, phase, now, call.template))
        stored = await self._store.spawn_task(_new_task(contract_id, call, phase, now))
        if stored.state in ENDED:
            return self._writes.accepted(carried.status, duplicate=True)
        return await self._writes.tell(session, call.incarnation, _spawned(by, stored))

    async def end(
        self, identity: Identity, contract_id: UUID, task_id: UUID, call: EndTask, *, failed: bool
    ) -> Accepted:
        """A task has ended; the first end stays. Raises: as `spawn`."""
        session = await self._rights.carrier(identity, contract_id, call.incarnation)
        by = _caller(session, call.incarnation)
        await self._list_first(session, call.incarnation, by, task_id)
        now = self._around.clock.now()
        stored = await self._store.end_task(_ended_task(contract_id, task_id, call, failed=failed, now=now))
        failed_first, ended_at = stored.state is TaskState.FAILED, stored.completed_at or now
        report = told.EndTask(by, str(task_id), failed_first, ended_at, stored.message or "")
        return await self._writes.tell(session, call.incarnation, report)

    async def ask(self, identity: Identity, contract_id: UUID, call: AskQuestion) -> Accepted:
        """A person is asked. Raises: as `spawn`."""
        session = await self._rights.carrier(identity, contract_id, call.incarnation)
        carried = await self._work.of(session)
        by, now = _caller(session, call.incarnation), self._around.clock.now()
        self._writes.must_be_taken(
            carried, told.AskQuestion(by, str(call.id), call.text, carried.status.phase, now, call.options)
        )
        stored = await self._store.ask(
            StoredQuestion(call.id, contract_id, call.incarnation, carried.status.phase, call.text, call.options, now)
        )
        if stored.answer is not None:
            return self._writes.accepted(carried.status, duplicate=True)
        report = told.AskQuestion(by, str(stored.id), stored.text, stored.phase, stored.asked_at, stored.options)
        return await self._writes.tell(session, call.incarnation, report)

    async def complete(self, identity: Identity, contract_id: UUID, call: CompleteDeliverable) -> Accepted:
        """A deliverable is there. Raises: as `spawn`; INVALID_DELIVERABLE."""
        session = await self._rights.current(identity, contract_id, call.incarnation)
        by = _caller(session, call.incarnation)
        report = told.CompleteDeliverable(by, call.phase, call.id, call.uri, call.digest)
        return await self._writes.tell(session, call.incarnation, report)

    async def advance(self, identity: Identity, contract_id: UUID, call: AskAdvance) -> Advanced:
        """Move on, or say what is missing. Raises: as `spawn`."""
        session = await self._rights.current(identity, contract_id, call.incarnation)
        by = _caller(session, call.incarnation)
        report = told.AskAdvance(by, call.to, call.expected_version, call.reason)
        answer, carried = await self._advance(session, call.incarnation, report, None)
        if answer.awaits is not None:
            verdict = await self._around.validators.ask(answer.awaits, carried.body)
            answer, _ = await self._advance(session, call.incarnation, report, verdict)
        return Advanced.model_validate(
            {
                "server_time": self._around.clock.now(),
                "outcome": answer.outcome.snake,
                "message": answer.message,
                "phase": answer.phase,
                "version": answer.version,
                "deliverables": answer.deliverables,
                "missing": answer.missing,
            }
        )

    async def _advance(
        self, session: Session, incarnation: int, report: told.AskAdvance, verdict: Verdict | None
    ) -> tuple[AdvanceAnswer, Carried]:
        outcome, carried = await self._writes.write(session, incarnation, report, verdict)
        assert isinstance(outcome, AdvanceAnswer), f"{outcome} is no answer to a wish to move on"
        return outcome, carried

    async def _list_first(self, session: Session, incarnation: int, by: Caller, task_id: UUID) -> None:
        """A task whose spawning was stored but never told is told now: its end would find nothing to end."""
        carried = await self._work.of(session)
        if any(task.id == str(task_id) for task in carried.status.tasks):
            return
        tasks = await self._store.tasks(session.contract_id)
        stored = next((task for task in tasks if task.id == task_id), None)
        if stored is None:
            raise NotFound(f"the contract has no task {task_id}", "spawn it first")
        if stored.state not in ENDED:
            await self._writes.tell(session, incarnation, _spawned(by, stored))


def _caller(session: Session, incarnation: int) -> Caller:
    return Caller(session.name, str(session.task_id), incarnation)


def _new_task(contract_id: UUID, call: SpawnTask, phase: str, now: datetime) -> StoredTask:
    return StoredTask(
        call.id,
        contract_id,
        phase,
        call.name,
        first_state(call.template),
        now,
        call.template,
        incarnation=call.incarnation,
        arguments=call.arguments,
    )


def _ended_task(contract_id: UUID, task_id: UUID, call: EndTask, *, failed: bool, now: datetime) -> StoredTask:
    """Only the end counts: what the task is called, and where it was spawned, is stored already."""
    return StoredTask(
        task_id,
        contract_id,
        phase="",
        name="",
        state=TaskState.FAILED if failed else TaskState.COMPLETED,
        created_at=now,
        message=call.message or None,
        completed_at=now,
        incarnation=call.incarnation,
    )


def _spawned(by: Caller, stored: StoredTask) -> told.SpawnTask:
    return told.SpawnTask(by, str(stored.id), stored.name, stored.phase, stored.created_at, stored.template)


def _must_have_template(carried: Carried, call: SpawnTask) -> None:
    names = [template.name for template in carried.contract.spec.task_templates]
    if call.template is not None and call.template not in names:
        known = ", ".join(names) or "none"
        raise refusal(
            Code.VALIDATION_FAILED,
            f"template: the contract has no task template {call.template}; it has {known}",
            field="template",
            hint="name one of spec.taskTemplates, or none: then the supervisor runs the task itself",
        )
