"""Everything else that people ask of contracts: made, paused, archived, told of deliverables, answered, ended.

Each wish is a field of `spec`, written as whoever asks (`makima.services.wishes.hand`), and what the operator makes of
it is waited for, a bounded time (`makima.services.wishes.settling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from makima.domain.reconcile.phase_change import VersionConflict
from makima.domain.reconcile.reports import validate_deliverable
from makima.domain.wishes.status_wishes import NotAllowed, Operation, put, status_wish
from makima.models.bounds import ANSWERS
from makima.models.contract import Contract
from makima.models.contract_spec import Answer
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState
from makima.models.markers import API_GROUP, API_VERSION
from makima.models.wire.contracts import ContractDetail, ContractSummary
from makima.models.wire.problem import Code
from makima.models.wire.wishes import (
    AnswerQuestion,
    ChangeStatus,
    ContractDeleted,
    CreateContract,
    DeliverableReported,
    QuestionAnswered,
    ReportDeliverable,
    Result,
    StatusChanged,
)
from makima.ports import JsonObject
from makima.services.access.contract_lookup import ContractLookup, Located
from makima.services.access.live_contract import accepted, contract_in
from makima.services.access.person import Person
from makima.services.reads.contract_views import deliverables, detail
from makima.services.reads.readiness import ReadinessChecks
from makima.services.refusals import Refused, refusal
from makima.services.wishes.hand import Hand
from makima.services.wishes.refused_moves import refused_move
from makima.services.wishes.settling import Settling


class ContractWishes:
    """Writes wishes; every method raises `Refused` with what makima or the API server has against it."""

    def __init__(self, hand: Hand, settling: Settling, lookup: ContractLookup, checks: ReadinessChecks) -> None:
        self._hand, self._settling, self._lookup, self._checks = hand, settling, lookup, checks

    async def create(self, person: Person, call: CreateContract, seconds: float) -> ContractDetail:
        """Make a contract, and wait until the operator has accepted it."""
        written = await self._hand.create(person, _manifest(call))
        self._lookup.remember(written)
        contract, _ = await self._settling.wait(written, lambda *_: True, seconds)
        return detail(contract, self._checks.settings, self._checks.clock.now())

    async def delete(self, person: Person, found: Located, expected_version: int | None) -> ContractDeleted:
        """Delete the contract; with a version only if it has it."""
        contract = contract_in(found.live())
        _must_have(contract, expected_version)
        await self._hand.delete(person, found, exactly=expected_version is not None)
        return ContractDeleted(contract=self._short(contract))

    async def status(self, person: Person, found: Located, call: ChangeStatus, seconds: float) -> StatusChanged:
        """Pause, go on, retry or archive."""
        contract = contract_in(found.live())
        status = accepted(contract)
        _must_have(contract, call.expected_version)
        wanted = call.status
        wish = status_wish(contract, status, wanted, call.reason)
        if isinstance(wish, NotAllowed):
            raise _not_allowed(status, wanted, wish)
        if not wish.operations:
            text = f"it is {status.state.snake} already"
            return StatusChanged(result="success", changed=False, message=text, contract=self._short(contract))
        written = await self._hand.change(person, found, wish.operations)
        before = status.state
        contract, done = await self._settling.wait(written, lambda _, now: _became(now, before, wanted), seconds)
        text = f"asked to be {wanted.snake}"
        return StatusChanged(result=_result(done), changed=True, message=text, contract=self._short(contract))

    async def deliverable(
        self, person: Person, found: Located, call: ReportDeliverable, seconds: float
    ) -> DeliverableReported:
        """A deliverable is there."""
        contract = contract_in(found.live())
        status = accepted(contract)
        phase = call.phase or status.phase
        _must_be_one(status, phase, call.identifier)
        key = (phase, call.identifier)
        if any((one.phase, one.id) == key for one in contract.spec.deliverables) or _done(status, key):
            return self._reported(contract, key, changed=False, done=_done(status, key))
        value = {"phase": phase, "id": call.identifier, "uri": call.uri, "digest": call.digest}
        operation = _append("deliverables", {name: text for name, text in value.items() if text is not None})
        written = await self._hand.change(person, found, [operation])
        contract, done = await self._settling.wait(written, lambda _, now: _done(now, key), seconds)
        return self._reported(contract, key, changed=True, done=done)

    async def answer(
        self, person: Person, found: Located, question_id: UUID, call: AnswerQuestion, seconds: float
    ) -> QuestionAnswered:
        """Answer an open question."""
        contract = contract_in(found.live())
        status = accepted(contract)
        given = next((one for one in contract.spec.answers if one.question_id == str(question_id)), None)
        if given is not None:
            return self._answered_before(contract, question_id, given, call)
        if not _is_open(status, question_id):
            raise refusal(
                Code.NOT_FOUND,
                f"the contract has no open question {question_id}",
                field="question_id",
                hint="GET …/questions?open=true lists what is asked; an answered question stays answered",
            )
        answer = {"questionId": str(question_id), "answer": call.answer}
        operations = [*_room_for_answers(contract, status), _append("answers", answer)]
        written = await self._hand.change(person, found, operations)
        contract, done = await self._settling.wait(written, lambda _, now: not _is_open(now, question_id), seconds)
        return QuestionAnswered(
            result=_result(done), changed=True, question_id=question_id, contract=self._short(contract)
        )

    async def auto_complete(self, person: Person, found: Located, enabled: bool) -> ContractSummary:
        """Have the contract complete by itself, or not."""
        contract = contract_in(found.live())
        if contract.spec.auto_complete is enabled:
            return self._short(contract)
        written = await self._hand.change(person, found, [put("autoComplete", enabled)])
        return self._short(contract_in(written))

    def _answered_before(
        self, contract: Contract, question_id: UUID, given: Answer, call: AnswerQuestion
    ) -> QuestionAnswered:
        if given.answer != call.answer:
            raise refusal(
                Code.CONFLICT,
                f"question {question_id} has another answer already",
                field="answer",
                hint="the first answer stays; the supervisor can ask again",
            )
        still = contract.status is not None and _is_open(contract.status, question_id)
        return QuestionAnswered(
            result=_result(not still), changed=False, question_id=question_id, contract=self._short(contract)
        )

    def _reported(self, contract: Contract, key: tuple[str, str], *, changed: bool, done: bool) -> DeliverableReported:
        shown = next(one for one in deliverables(accepted(contract)) if (one.phase, one.id) == key)
        return DeliverableReported(
            result=_result(done), changed=changed, deliverable=shown, contract=self._short(contract)
        )

    def _short(self, contract: Contract) -> ContractSummary:
        return self._checks.summary(contract)


def _manifest(call: CreateContract) -> JsonObject:
    named = {"name": call.name} if call.name is not None else {"generateName": call.generate_name}
    metadata: dict[str, Any] = {
        "namespace": call.namespace,
        **named,
        "labels": call.labels,
        "annotations": call.annotations,
    }
    return {
        "apiVersion": f"{API_GROUP}/{API_VERSION}",
        "kind": "Contract",
        "metadata": {name: value for name, value in metadata.items() if value},
        "spec": call.spec,
    }


def _must_have(contract: Contract, expected: int | None) -> None:
    status = contract.status
    if expected is not None and status is not None and status.version != expected:
        raise refused_move(VersionConflict(expected, status.version, status.phase), status, "")


def _not_allowed(status: ContractStatus, wanted: ContractState, wish: NotAllowed) -> Refused:
    allowed = [state.snake for state in wish.allowed]
    return refusal(
        Code.INVALID_TRANSITION,
        wish.reason,
        field="status",
        hint=f"from here it can be asked to be {', '.join(allowed)}"
        if allowed
        else "nothing can be asked for any more",
        current=status.state.snake,
        requested=wanted.snake,
        allowed=allowed,
    )


def _became(status: ContractStatus, before: ContractState, wanted: ContractState) -> bool:
    """`active` means to go on: where the contract stands then is for the operator to say."""
    if wanted is not ContractState.ACTIVE:
        return status.state is wanted
    return status.state is not before or before not in (ContractState.PAUSED, ContractState.FAILED)


def _must_be_one(status: ContractStatus, phase: str, identifier: str) -> None:
    problem = validate_deliverable(status.phases, phase, identifier)
    if problem is not None:
        valid = [{"phase": one.phase, "id": one.id} for one in deliverables(status)]
        raise refusal(
            Code.INVALID_DELIVERABLE,
            problem,
            field="id",
            hint="GET …/deliverables lists them",
            phase=phase,
            deliverable_id=identifier,
            current_phase=status.phase,
            valid=valid,
        )


def _done(status: ContractStatus, key: tuple[str, str]) -> bool:
    return any((one.phase, one.id) == key for one in status.deliverables)


def _is_open(status: ContractStatus, question_id: UUID) -> bool:
    return any(one.id == str(question_id) for one in status.questions)


def _room_for_answers(contract: Contract, status: ContractStatus) -> Sequence[Operation]:
    """Answers whose questions are closed make room; from the end, so that places stay right."""
    given = contract.spec.answers
    if len(given) < ANSWERS:
        return ()
    closed = [place for place, one in enumerate(given) if not _is_open(status, UUID(one.question_id))]
    found: list[Operation] = []
    for place in reversed(closed):
        found += [
            {"op": "test", "path": f"/spec/answers/{place}/questionId", "value": given[place].question_id},
            {"op": "remove", "path": f"/spec/answers/{place}"},
        ]
    return found


def _append(field: str, value: object) -> Operation:
    return {"op": "add", "path": f"/spec/{field}/-", "value": value}


def _result(done: bool) -> Result:
    return "success" if done else "pending"
