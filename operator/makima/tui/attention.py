"""How much a contract needs somebody, and since when: the groups of the list, most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from makima.domain.reasons import AliveReason, ConditionType
from makima.domain.supervisor_status import alive_reason
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.enums import ConditionStatus, ContractState
from makima.models.supervisor import Supervisor

S = ContractState


class Need(IntEnum):
    """Groups of the list, in the order in which they are shown."""

    PERSON = 0
    TROUBLE = 1
    RUNNING = 2
    PAUSED = 3
    DONE = 4

    @property
    def heading(self) -> str:
        """What the group is called."""
        return HEADINGS[self]


HEADINGS = {
    Need.PERSON: "Waits for a person",
    Need.TROUBLE: "In trouble",
    Need.RUNNING: "Under way",
    Need.PAUSED: "Paused",
    Need.DONE: "Done",
}

BY_STATE = {
    S.CREATED: Need.RUNNING,
    S.ACTIVE: Need.RUNNING,
    S.COMPLETING: Need.RUNNING,
    S.WAITING_FOR_INPUT: Need.PERSON,
    S.BLOCKED: Need.PERSON,
    S.PAUSED: Need.PAUSED,
    S.FAILED: Need.TROUBLE,
    S.COMPLETED: Need.DONE,
    S.ARCHIVED: Need.DONE,
}

NOT_HEARD = frozenset({AliveReason.RELEASED, AliveReason.SUSPENDED, AliveReason.FINISHED, AliveReason.ENDED})
"""Why a supervisor that sends no heartbeat is right not to."""

HEARD_IN = frozenset({S.CREATED, S.ACTIVE, S.WAITING_FOR_INPUT, S.BLOCKED, S.COMPLETING})


@dataclass(frozen=True, slots=True)
class Attention:
    """What a contract needs.

    Attributes:
        text: what it waits for, or what is wrong; "" where nothing is.
        since: since when that is so.
    """

    need: Need
    text: str = ""
    since: datetime | None = None


def attention(contract: Contract) -> Attention:
    """What the contract needs, by what its resource says."""
    status = contract.status
    if status is None:
        return _not_accepted(contract)
    need = BY_STATE[status.state]
    text = status.waiting_for or status.blocked_reason or status.failure_reason or ""
    if status.state is S.PAUSED:
        text = contract.spec.suspend_reason or ""
    since = _waits_since(contract) if need is Need.PERSON else status.state_changed_time
    if need is not Need.RUNNING:
        return Attention(need, text, since)
    return _wrong(contract) or Attention(need, text, since)


def _waits_since(contract: Contract) -> datetime | None:
    """An open question is as old as it is, whatever else the contract did meanwhile."""
    status = contract.status
    if status is None:
        return None
    asked = [question.asked_time for question in status.questions]
    if status.state is S.WAITING_FOR_INPUT and asked and not (status.waiting_for or "").startswith("confirmation"):
        return min(asked)
    return status.state_changed_time


def _not_accepted(contract: Contract) -> Attention:
    ready = condition(contract.early_conditions, ConditionType.READY)
    created = contract.metadata.creation_timestamp
    if ready is None or ready.status is not ConditionStatus.FALSE:
        return Attention(Need.RUNNING, "not looked at by the operator yet", created)
    return Attention(Need.TROUBLE, ready.message, ready.last_transition_time)


def _wrong(contract: Contract) -> Attention | None:
    """What is wrong with a contract that should be moving."""
    assert contract.status is not None
    conditions = contract.status.conditions
    for kind, bad in (
        (ConditionType.STALE, ConditionStatus.TRUE),
        (ConditionType.PROGRESSING, ConditionStatus.FALSE),
        (ConditionType.HISTORY_RECORDED, ConditionStatus.FALSE),
        (ConditionType.READY, ConditionStatus.FALSE),
    ):
        found = condition(conditions, kind)
        if found is not None and found.status is bad and not (kind is ConditionType.PROGRESSING and _idle(contract)):
            return Attention(Need.TROUBLE, found.message, found.last_transition_time)
    return None


def _idle(contract: Contract) -> bool:
    """Progressing is False also for reasons that are no trouble."""
    found = condition(contract.status.conditions if contract.status else (), ConditionType.PROGRESSING)
    return found is None or found.reason != "ProgressDeadlineExceeded"


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of this type."""
    return next((item for item in conditions if item.type == kind), None)


def is_stale(contract: Contract) -> bool:
    """Whether nothing has happened for too long, by the operator's own finding."""
    found = condition(contract.status.conditions if contract.status else (), ConditionType.STALE)
    return found is not None and found.status is ConditionStatus.TRUE


def silent_from(contract: Contract, supervisor: Supervisor | None) -> timedelta | None:
    """After how long without a heartbeat the supervisor is overdue; None where nobody expects one."""
    if supervisor is None or contract.status is None or contract.status.state not in HEARD_IN:
        return None
    if supervisor.spec.suspend or alive_reason(supervisor.status) in NOT_HEARD:
        return None
    return timedelta(seconds=supervisor.spec.heartbeat_timeout_seconds)
