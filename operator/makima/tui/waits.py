"""What waits for a person, with what they can do about it here: waits (`domain.reads.waits`), approvals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from makima.domain.reads.wait import Kind
from makima.domain.reads.wait import Wait as Reason
from makima.domain.reads.waits import waits as reasons
from makima.domain.reconcile.gates import current_phase
from makima.domain.reconcile.phase_change import destination
from makima.models.contract import Contract
from makima.models.contract_status import CompletedDeliverable, Question
from makima.models.enums import ContractState, Priority
from makima.models.gate import Deliverable
from makima.models.supervisor import Supervisor
from makima.tui.caller import Caller
from makima.tui.source import Key

S = ContractState
LATEST = datetime.max.replace(tzinfo=UTC)


class Deed(StrEnum):
    """What a person can do about a wait here."""

    ANSWER = "a answers"
    CONFIRM = "c confirms"
    ADVANCE = "c moves it on"
    RESUME = "p resumes"
    RESTART = "r restarts its supervisor"
    RETRY = "r takes it up again"
    OUTSIDE = ""


DEEDS = {
    Kind.ANSWER: Deed.ANSWER,
    Kind.CONFIRMATION: Deed.CONFIRM,
    Kind.ADVANCE: Deed.ADVANCE,
    Kind.RESUME: Deed.RESUME,
    Kind.RETRY: Deed.RETRY,
    Kind.STUCK: Deed.RESTART,
    Kind.STALE: Deed.RESTART,
    Kind.BLOCKED: Deed.RESTART,
    Kind.SUPERVISOR_ASKS: Deed.RESTART,
}


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a contract waits for.

    Attributes:
        reason: what, since when, and whether only a person ends it.
        question: the open question, in full.
    """

    key: Key
    reason: Reason
    question: Question | None = None

    @property
    def deed(self) -> Deed:
        """What can be done here."""
        return DEEDS.get(self.reason.kind, Deed.OUTSIDE)

    @property
    def text(self) -> str:
        """What is waited for."""
        return self.reason.what if self.question is None else f"an answer: {self.question.question}"

    def command(self, caller: Caller) -> str:
        """What does about it on a command line; "" where there is nothing to do."""
        return caller.line(*self.reason.command) if self.reason.command is not None else ""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person approves who confirms the next move: exactly this version.

    Attributes:
        present: deliverables of the phase that are there, with what is known about them.
        absent: deliverables of the phase that are not there.
    """

    key: Key
    uid: str
    version: int
    phase: str
    to: str
    present: tuple[tuple[Deliverable, CompletedDeliverable], ...]
    absent: tuple[Deliverable, ...]

    @property
    def lacks_required(self) -> bool:
        """Whether something is missing that the phase requires; the gate will refuse then."""
        return any(item.priority is Priority.REQUIRED for item in self.absent)


def waits_of(contract: Contract, supervisor: Supervisor | None, now: datetime) -> tuple[Wait, ...]:
    """Everything that the contract waits for, what matters most first."""
    key = (contract.metadata.namespace, contract.metadata.name)
    questions = contract.status.questions if contract.status is not None else ()
    by_id = {item.id: item for item in questions}
    return tuple(
        Wait(key, reason, by_id.get(reason.question_id or "")) for reason in reasons(contract, supervisor, now)
    )


def open_questions(contract: Contract) -> tuple[Question, ...]:
    """Questions without an answer, oldest first; those that the operator has not taken the answer up of are not."""
    given = {answer.question_id for answer in contract.spec.answers}
    questions = contract.status.questions if contract.status is not None else ()
    return tuple(item for item in questions if item.id not in given)


def inbox(contracts: Iterable[Contract], supervisors: Mapping[Key, Supervisor], now: datetime) -> list[Wait]:
    """Everything that only a person can end, oldest first."""
    found = [
        wait
        for contract in contracts
        for wait in waits_of(contract, supervisors.get((contract.metadata.namespace, contract.metadata.name)), now)
        if wait.reason.person
    ]
    return sorted(found, key=lambda wait: (wait.reason.since or LATEST, wait.key))


def approval_of(contract: Contract) -> Approval | None:
    """What confirming the next move approves; None where no move can be confirmed."""
    status = contract.status
    if status is None or status.state not in (S.ACTIVE, S.WAITING_FOR_INPUT, S.BLOCKED, S.CREATED):
        return None
    phase = current_phase(status)
    there = {item.id: item for item in status.deliverables if item.phase == phase.name}
    return Approval(
        key=(contract.metadata.namespace, contract.metadata.name),
        uid=contract.metadata.uid,
        version=status.version,
        phase=phase.name,
        to=destination(status),
        present=tuple((item, there[item.id]) for item in phase.deliverables if item.id in there),
        absent=tuple(item for item in phase.deliverables if item.id not in there),
    )
