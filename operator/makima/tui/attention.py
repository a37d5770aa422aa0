"""How much a contract needs somebody, and since when: the groups of the list, most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from makima.domain.reads.wait import Kind, Wait
from makima.domain.reasons import AliveReason, ConditionType
from makima.domain.supervision.heartbeat_times import heartbeat_times
from makima.domain.supervision.supervisor_status import alive_reason
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

BY_KIND = {
    Kind.ANSWER: Need.PERSON,
    Kind.CONFIRMATION: Need.PERSON,
    Kind.ADVANCE: Need.PERSON,
    Kind.BLOCKED: Need.PERSON,
    Kind.SUPERVISOR_ASKS: Need.PERSON,
    Kind.START: Need.PERSON,
    Kind.RETRY: Need.TROUBLE,
    Kind.STUCK: Need.TROUBLE,
    Kind.STALE: Need.TROUBLE,
    Kind.REFUSED: Need.TROUBLE,
    Kind.RESTART: Need.TROUBLE,
    Kind.HISTORY: Need.TROUBLE,
    Kind.RESUME: Need.PAUSED,
    Kind.WORK: Need.RUNNING,
    Kind.VALIDATION: Need.RUNNING,
    Kind.OPERATOR: Need.RUNNING,
    Kind.NOTHING: Need.DONE,
}
"""Where a wait of this kind puts a contract; one that nobody has to end leaves it under way."""

ANYBODY = frozenset({Kind.ADVANCE, Kind.START})
"""Kinds that are a person's only where the wait says so."""

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


def attention(waits: Sequence[Wait]) -> Attention:
    """What the contract needs, by what it waits for above all (`makima.domain.reads.waits`)."""
    first = waits[0]
    need = Need.RUNNING if first.kind in ANYBODY and not first.person else BY_KIND[first.kind]
    text = "" if need is Need.DONE else first.what
    return Attention(need, text, first.since)


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
    return timedelta(seconds=heartbeat_times(supervisor.spec).timeout_seconds)
