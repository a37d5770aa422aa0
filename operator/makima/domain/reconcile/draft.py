"""A decision in the making: the contract as it is, what is known around it, and the status as it would become.

Steps take a draft and give a draft. Only `finish` (in `makima.domain.reconcile.lifecycle`) turns one into a write, so
the version, the outbox and the times are kept in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from makima.domain.notices import Notice
from makima.domain.reasons import EventReason, TransitionReason
from makima.domain.reconcile.gates import Readiness, phase_readiness
from makima.domain.reconcile.states import may_follow
from makima.domain.reconcile.validation import Question, Verdict
from makima.domain.settings import Settings
from makima.domain.supervisor_calls.told import Outcome, Report
from makima.models.contract import Contract
from makima.models.contract_spec import ContractSpec
from makima.models.contract_status import ContractStatus, DeliverableKey
from makima.models.contract_type import ContractType
from makima.models.enums import ContractState
from makima.models.supervisor import Supervisor

MESSAGE_LENGTH = 256
"""Characters of a transition's message (`makima.models.bounds.Line`)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything a decision looks at besides the contract.

    Attributes:
        now: the time of the decision, in UTC.
        contract_type: the ContractType that spec.type names, if it exists; looked at on acceptance only.
        supervisor: the Supervisor of the contract's name, if it exists.
        verdict: the latest answer of the current gate's validator.
        recorded_version: highest version known to be in Postgres; 0 = none.
        reports: what the API service was told in this call; the operator has none.
        recorded_answers: ids of questions whose answer Postgres has; None = it is not asked, and answers count at once.
        heard: newest heartbeat of the supervisor that Postgres has; None = not asked, or there is none.
        worked: newest of what else the supervisor did that only Postgres knows (messages, saved states); likewise.
    """

    settings: Settings
    now: datetime
    contract_type: ContractType | None = None
    supervisor: Supervisor | None = None
    verdict: Verdict | None = None
    recorded_version: int = 0
    reports: tuple[Report, ...] = ()
    recorded_answers: frozenset[str] | None = None
    heard: datetime | None = None
    worked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One decision in the making.

    Attributes:
        original: the status that the write replaces; legality is judged against it.
        status: the status as it would become; version, outbox, times and conditions are still the old ones.
        reason: why a new version comes to be; the first step that moves something names it.
        question: a validator has to be asked before the contract can move.
        holds: the question is about a request that names this very version: nothing is written before the verdict.
        told: what became of each of `around.reports` so far.
    """

    contract: Contract
    around: Surroundings
    original: ContractStatus
    status: ContractStatus
    reason: TransitionReason | None = None
    message: str = ""
    actor: str | None = None
    forced: bool = False
    recorded: tuple[DeliverableKey, ...] = ()
    notices: tuple[Notice, ...] = ()
    question: Question | None = None
    holds: bool = False
    told: tuple[Outcome, ...] = ()

    @property
    def spec(self) -> ContractSpec:
        """What people want."""
        return self.contract.spec

    @property
    def now(self) -> datetime:
        """The time of the decision."""
        return self.around.now

    @property
    def suspended(self) -> bool:
        """Whether nothing may advance because a person paused the contract."""
        return self.spec.suspend or self.status.state is ContractState.PAUSED

    @property
    def phase_moved(self) -> bool:
        """Whether this draft already moves the phase or begins completion."""
        completing = ContractState.COMPLETING in (self.status.state, self.original.state)
        return self.status.phase != self.original.phase or completing

    def may_become(self, state: ContractState) -> bool:
        """Whether one write may take the contract from its stored state to `state`."""
        return may_follow(self.original.state, state)

    def readiness(self) -> Readiness:
        """Readiness of the phase that the draft is in."""
        return phase_readiness(self.contract.metadata.uid, self.status, self.around.verdict, self.now)

    def update(self, **changes: Any) -> Draft:
        """With these status fields."""
        return replace(self, status=self.status.model_copy(update=changes))

    def because(self, reason: TransitionReason, message: str, *, actor: str | None = None) -> Draft:
        """With this reason for the new version, unless a step before named one; the message is cut to a line."""
        if self.reason is not None:
            return self
        return replace(self, reason=reason, message=message[:MESSAGE_LENGTH], actor=actor)

    def notify(self, reason: EventReason, message: str, *, warning: bool = False) -> Draft:
        """With one more Event to send after the write."""
        return replace(self, notices=(*self.notices, Notice(reason, message, warning)))

    def ask(self, question: Question, *, holds: bool = False) -> Draft:
        """With a question that has to be answered before the contract can move."""
        return replace(self, question=question, holds=holds)
