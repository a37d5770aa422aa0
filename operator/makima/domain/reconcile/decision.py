"""What a look at a contract comes to: what to write, send, ask, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from makima.domain.notices import Notice
from makima.domain.reconcile.validation import Question
from makima.domain.supervisor_calls.told import Outcome
from makima.models.condition import Condition
from makima.models.contract_status import ContractStatus


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    Attributes:
        status: the next accepted status, to be written with a resourceVersion precondition; None = no write.
        refusal: conditions of a contract that can't be accepted, to be written instead; None = no write.
        notices: Events to send after the write.
        question: ask this first, then decide again with the verdict.
        wake_at: look again then, if nothing happens before.
        delete: the time to live is over and the history is recorded.
        became_stale: this write is the rising edge of staleness.
        told: what became of each of the reports, in their order; those that were taken are in `status`.
    """

    status: ContractStatus | None = None
    refusal: tuple[Condition, ...] | None = None
    notices: tuple[Notice, ...] = ()
    question: Question | None = None
    wake_at: datetime | None = None
    delete: bool = False
    became_stale: bool = False
    told: tuple[Outcome, ...] = ()
