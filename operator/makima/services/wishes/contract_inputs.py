"""What people give to a contract: deliverables that are there, and answers to its questions.

Both are lists in `spec` that only grow: giving the same again changes nothing, and the first answer stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from makima.domain.reconcile.reports import validate_deliverable
from makima.domain.wishes.status_wishes import Operation
from makima.models.bounds import ANSWERS
from makima.models.contract import Contract
from makima.models.contract_spec import Answer
from makima.models.contract_status import ContractStatus
from makima.models.wire.problem import Code
from makima.models.wire.wishes import AnswerQuestion, DeliverableReported, QuestionAnswered, ReportDeliverable
from makima.services.access.contract_lookup import Located
from makima.services.access.live_contract import accepted, contract_in
from makima.services.access.person import Person
from makima.services.reads.contract_views import deliverables
from makima.services.reads.readiness import ReadinessChecks
from makima.services.refusals import refusal
from makima.services.wishes.hand import Hand
from makima.services.wishes.settling import Settling, result_of


class ContractInputs:
    """Writes them down; every method raises `Refused` with what makima or the API server has against it."""

    def __init__(self, hand: Hand, settling: Settling, checks: ReadinessChecks) -> None:
        self._hand, self._settling, self._checks = hand, settling, checks

    async def deliverable(
        self, person: Person, found: Located, call: ReportDeliverable, seconds: float
    ) -> DeliverableReported:
        """A deliverable is there."""
        return await self._hand.again(person, found, lambda now: self._deliverable(person, now, call, seconds))

    async def _deliverable(
        self, person: Person, found: Located, call: ReportDeliverable, seconds: float
    ) -> DeliverableReported:
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
        return await self._hand.again(person, found, lambda now: self._answer(person, now, question_id, call, seconds))

    async def _answer(
        self, person: Person, found: Located, question_id: UUID, call: AnswerQuestion, seconds: float
    ) -> QuestionAnswered:
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
            result=result_of(done), changed=True, question_id=question_id, contract=self._checks.summary(contract)
        )

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
            result=result_of(not still), changed=False, question_id=question_id, contract=self._checks.summary(contract)
        )

    def _reported(self, contract: Contract, key: tuple[str, str], *, changed: bool, done: bool) -> DeliverableReported:
        shown = next(one for one in deliverables(accepted(contract)) if (one.phase, one.id) == key)
        return DeliverableReported(
            result=result_of(done), changed=changed, deliverable=shown, contract=self._checks.summary(contract)
        )


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
