"""One thing that a contract waits for, and the contract of which it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makima.domain.reasons import ConditionType
from makima.domain.reconcile.gates import Readiness
from makima.domain.reconcile.states import RUNNING
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ConditionStatus
from makima.models.supervisor import Supervisor

TEXT = 200
"""Characters of somebody else's words in a wait."""

Command = tuple[str, ...]
"""Words of a command line. The first is the program; `contracts` stands for makima contracts, kubectl contracts."""

LOOK_AT_OPERATOR: Command = ("makima", "doctor")
"""Whether the operator runs, and has what it needs."""


class Kind(StrEnum):
    """What is waited for."""

    ANSWER = "answer"
    CONFIRMATION = "confirmation"
    ADVANCE = "advance"
    RESUME = "resume"
    RETRY = "retry"
    BLOCKED = "blocked"
    SUPERVISOR_ASKS = "supervisor-asks"
    STUCK = "stuck"
    STALE = "stale"
    REFUSED = "refused"
    START = "start"
    WORK = "work"
    VALIDATION = "validation"
    RESTART = "restart"
    OPERATOR = "operator"
    HISTORY = "history"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a contract waits for.

    Attributes:
        what: in a few words for people.
        since: when it began to; None where nothing tells.
        person: only a person ends it.
        command: what ends it, or the first thing to do about it; None where there is nothing to do.
        question_id: of an open question.
    """

    kind: Kind
    what: str
    since: datetime | None
    person: bool = False
    command: Command | None = None
    question_id: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A contract and what is around it."""

    contract: Contract
    status: ContractStatus
    supervisor: Supervisor | None
    readiness: Readiness

    @property
    def key(self) -> str:
        """How commands name it."""
        return f"{self.contract.metadata.namespace}/{self.contract.metadata.name}"


def under_way(case: Case) -> bool:
    """Whether somebody is at work, and nobody stopped it."""
    return case.status.state in RUNNING and not case.contract.spec.suspend


def condition(case: Case, kind: ConditionType, wanted: ConditionStatus) -> Condition | None:
    """The condition of this type, if it has this status."""
    return next((item for item in case.status.conditions if item.type == kind and item.status is wanted), None)
