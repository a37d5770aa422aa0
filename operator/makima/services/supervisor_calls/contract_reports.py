"""What a supervisor reports about its contract: Postgres first, then the contract's status, then the answer.

So a gate never passes over a task that was acknowledged (design, "Ordering" 2). `decide` is asked before anything is
stored, and once more for the write: what would be refused leaves no trace. Repeating a call repeats nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.reconcile.task_list import ENDED, first_state
from makima.domain.reconcile.validation import Verdict
from makima.domain.settings import Settings
from makima.domain.supervisor_calls import told
from makima.domain.supervisor_calls.told import AdvanceAnswer, Caller, Outcome, RefusedReport, Report, Taken
from makima.errors import NotFound, Superseded
from makima.models.contract_status import ContractStatus
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
from makima.ports import Clock, EventSink, Validators
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.refusals import refusal
from makima.services.supervisor_calls.carried_work import Carried, CarriedWork
from makima.stores import WorkStore


@dataclass(frozen=True, slots=True)
class Around:
    """What a report is decided with, and who is told of what it caused.

    Attributes:
        on_move: called with the phases left and entered.
    """

    settings: Settings
    validators: Validators
    events: EventSink
    clock: Clock
    on_move: Callable[[str, str], None]


class ContractReports:
    """Tasks, questions, deliverables and moves."""

    def __init__(self, store: WorkStore, work: CarriedWork, rights: Authorization, around: Around) -> None:
        self._store, self._work, self._rights, self._around = store, work, rights, around

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
        self._try(carried, told.SpawnTask(by, str(call.id), call.name, phase, now, call.template))
        task = StoredTask(
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
        stored = await self._store.spawn_task(task)
        if stored.state in ENDED:
            return self._accepted(carried.status, duplicate=True)
        return await self._tell(session, call.incarnation, _spawned(by, stored))

    async def end(
        self, identity: Identity, contract_id: UUID, task_id: UUID, call: EndTask, *, failed: bool
    ) -> Accepted:
        """A task has ended; the first end stays. Raises: as `spawn`."""
        session = await self._rights.carrier(identity, contract_id, call.incarnation)
        by = _caller(session, call.incarnation)
        await self._list_first(session, call.incarnation, by, task_id)
        ended = StoredTask(
            task_id,
            contract_id,
            phase="",
            name="",
            state=TaskState.FAILED if failed else TaskState.COMPLETED,
            created_at=self._around.clock.now(),
            message=call.message or None,
            completed_at=self._around.clock.now(),
            incarnation=call.incarnation,
        )
        stored = await self._store.end_task(ended)
        report = told.EndTask(
            by,
            str(task_id),
            stored.state is TaskState.FAILED,
            stored.completed_at or self._around.clock.now(),
            stored.message or "",
        )
        return await self._tell(session, call.incarnation, report)

    async def ask(self, identity: Identity, contract_id: UUID, call: AskQuestion) -> Accepted:
        """A person is asked. Raises: as `spawn`."""
        session = await self._rights.carrier(identity, contract_id, call.incarnation)
        carried = await self._work.of(session)
        by, now = _caller(session, call.incarnation), self._around.clock.now()
        self._try(carried, told.AskQuestion(by, str(call.id), call.text, carried.status.phase, now, call.options))
        stored = await self._store.ask(
            StoredQuestion(call.id, contract_id, call.incarnation, carried.status.phase, call.text, call.options, now)
        )
        if stored.answer is not None:
            return self._accepted(carried.status, duplicate=True)
        report = told.AskQuestion(by, str(stored.id), stored.text, stored.phase, stored.asked_at, stored.options)
        return await self._tell(session, call.incarnation, report)

    async def complete(self, identity: Identity, contract_id: UUID, call: CompleteDeliverable) -> Accepted:
        """A deliverable is there. Raises: as `spawn`; INVALID_DELIVERABLE."""
        session = await self._rights.current(identity, contract_id, call.incarnation)
        by = _caller(session, call.incarnation)
        report = told.CompleteDeliverable(by, call.phase, call.id, call.uri, call.digest)
        return await self._tell(session, call.incarnation, report)

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
        outcome, carried = await self._write(session, incarnation, report, verdict)
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
            await self._tell(session, incarnation, _spawned(by, stored))

    async def _tell(self, session: Session, incarnation: int, report: Report) -> Accepted:
        outcome, carried = await self._write(session, incarnation, report, None)
        assert isinstance(outcome, Taken), f"{outcome} is no answer to {report}"
        return self._accepted(carried.status, duplicate=outcome.duplicate)

    async def _write(
        self, session: Session, incarnation: int, report: Report, verdict: Verdict | None
    ) -> tuple[Outcome, Carried]:
        """Bring the report into the status."""
        seen: list[tuple[Carried, Decision, Outcome]] = []

        def decided(carried: Carried) -> ContractStatus | None:
            decision, outcome = self._decide(carried, report, verdict)
            seen.append((carried, decision, outcome))
            return decision.status if _wrote(carried, decision) else None

        after = await self._work.change(session, incarnation, decided)
        before, decision, outcome = seen[-1]
        self._announce(before, after, decision)
        return outcome, after

    def _try(self, carried: Carried, report: Report) -> None:
        """Raise what the contract would refuse, before anything is stored."""
        self._decide(carried, report, None)

    def _decide(self, carried: Carried, report: Report, verdict: Verdict | None) -> tuple[Decision, Outcome]:
        around = Surroundings(
            settings=self._around.settings,
            now=self._around.clock.now(),
            supervisor=carried.supervisor,
            verdict=verdict,
            reports=(report,),
            recorded_answers=frozenset(),  # closing a question is for the operator, which stores the answer first
        )
        decision = decide(carried.contract, around)
        outcome = decision.told[0]
        if isinstance(outcome, told.Superseded):
            raise Superseded(outcome.current)
        if isinstance(outcome, RefusedReport):
            raise refusal(outcome.code, outcome.message, hint=outcome.hint, **dict(outcome.details))
        return decision, outcome

    def _announce(self, before: Carried, after: Carried, decision: Decision) -> None:
        if before.body["metadata"]["resourceVersion"] == after.body["metadata"]["resourceVersion"]:
            return
        for notice in decision.notices:
            self._around.events.publish(after.body, notice, self._around.clock.now())
        if before.status.phase != after.status.phase:
            self._around.on_move(before.status.phase, after.status.phase)

    def _accepted(self, status: ContractStatus, *, duplicate: bool) -> Accepted:
        return Accepted(server_time=self._around.clock.now(), contract_version=status.version, duplicate=duplicate)


def _wrote(carried: Carried, decision: Decision) -> bool:
    return decision.status is not None and decision.status != carried.status


def _caller(session: Session, incarnation: int) -> Caller:
    return Caller(session.name, str(session.task_id), incarnation)


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
