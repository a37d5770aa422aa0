"""What waits for a person, and what the person can do about it here and now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makima.domain.gates import next_phase
from makima.domain.phase_change import COMPLETED
from makima.models.contract import Contract
from makima.models.contract_status import CompletedDeliverable, ContractStatus, Question
from makima.models.enums import ContractState, Priority
from makima.models.gate import Deliverable
from makima.tui.attention import attention
from makima.tui.source import Key

S = ContractState
CONFIRMATION = "confirmation"


class Deed(StrEnum):
    """What unblocks a contract."""

    ANSWER = "answer"
    CONFIRM = "confirm"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that waits for a person.

    Attributes:
        text: what is asked, or what is wrong.
        command: what does the same on a command line.
    """

    key: Key
    deed: Deed
    text: str
    since: datetime | None
    command: str
    question: Question | None = None


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


def waits_of(contract: Contract) -> tuple[Wait, ...]:
    """Everything of this contract that waits for a person; questions one by one."""
    status = contract.status
    if status is None or status.state not in (S.WAITING_FOR_INPUT, S.BLOCKED):
        return _questions(contract) if status is not None and status.state in (S.ACTIVE, S.CREATED) else ()
    found = _questions(contract)
    if (status.waiting_for or "").startswith(CONFIRMATION):
        return (_confirmation(contract, status), *found)
    return found or (_look(contract, status),)


def inbox(contracts: Iterable[Contract]) -> list[Wait]:
    """Everything that waits for a person, oldest first."""
    found = [wait for contract in contracts for wait in waits_of(contract)]
    return sorted(found, key=lambda wait: (wait.since is None, wait.since, wait.key))


def approval_of(contract: Contract) -> Approval | None:
    """What confirming the next move approves; None where no move can be confirmed."""
    status = contract.status
    if status is None or status.state not in (S.ACTIVE, S.WAITING_FOR_INPUT, S.BLOCKED, S.CREATED):
        return None
    phase = next(item for item in status.phases if item.name == status.phase)
    following = next_phase(status)
    there = {item.id: item for item in status.deliverables if item.phase == phase.name}
    return Approval(
        key=(contract.metadata.namespace, contract.metadata.name),
        uid=contract.metadata.uid,
        version=status.version,
        phase=phase.name,
        to=following.name if following is not None else COMPLETED,
        present=tuple((item, there[item.id]) for item in phase.deliverables if item.id in there),
        absent=tuple(item for item in phase.deliverables if item.id not in there),
    )


def _questions(contract: Contract) -> tuple[Wait, ...]:
    status, key = contract.status, (contract.metadata.namespace, contract.metadata.name)
    if status is None:
        return ()
    return tuple(
        Wait(key, Deed.ANSWER, item.question, item.asked_time, _command("answer", key, f"{item.id} '…'"), item)
        for item in status.questions
    )


def _confirmation(contract: Contract, status: ContractStatus) -> Wait:
    key = (contract.metadata.namespace, contract.metadata.name)
    text = status.waiting_for or CONFIRMATION
    return Wait(key, Deed.CONFIRM, text, status.state_changed_time, _command("confirm", key))


def _look(contract: Contract, status: ContractStatus) -> Wait:
    key = (contract.metadata.namespace, contract.metadata.name)
    found = attention(contract)
    return Wait(key, Deed.LOOK, found.text or "look at it", status.state_changed_time, _command("show", key))


def _command(verb: str, key: Key, rest: str = "") -> str:
    return " ".join(part for part in ("kubectl contracts", verb, key[1], "-n", key[0], rest) if part)
