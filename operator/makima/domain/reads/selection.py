"""Which contracts a list shows: the plan's filters (4.1), combined."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from makima.domain.reads.waits import waits
from makima.domain.reasons import ConditionType
from makima.domain.reconcile.activity import WATCHED, stale_threshold
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.enums import ConditionStatus, ContractState


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; those that are set all have to agree.

    Attributes:
        states: one of these; empty = any.
        stale: only stale ones.
        threshold: idle for how long is stale; None = what the operator found, else the contract's own or 30 minutes.
        waiting: only those that wait for a person.
    """

    states: frozenset[ContractState] = field(default_factory=frozenset)
    stale: bool = False
    threshold: timedelta | None = None
    waiting: bool = False
    phase: str | None = None
    type: str | None = None

    def fields(self) -> str:
        """As much of it as a field selector says: the API server sends less then. (It knows = and != only.)"""
        parts = [f"status.state!={state}" for state in ContractState if self.states and state not in self.states]
        parts += [f"status.phase={self.phase}"] if self.phase else []
        parts += [f"spec.type={self.type}"] if self.type else []
        return ",".join(parts)


def selected(contract: Contract, selection: Selection, now: datetime) -> bool:
    """Whether the list shows it."""
    status = contract.status
    if selection.type and contract.spec.type != selection.type:
        return False
    if status is None:
        return not (selection.states or selection.stale or selection.phase or selection.waiting)
    return (
        (not selection.states or status.state in selection.states)
        and (not selection.phase or status.phase == selection.phase)
        and (not selection.stale or _is_stale(contract, selection.threshold, now))
        and (not selection.waiting or waits_for_person(contract, now))
    )


def waits_for_person(contract: Contract, now: datetime) -> bool:
    """Whether only a person can bring it on, as far as its own resource tells."""
    return waits(contract, None, now)[0].person


def _is_stale(contract: Contract, threshold: timedelta | None, now: datetime) -> bool:
    status = contract.status
    if status is None or status.state not in WATCHED or contract.spec.suspend:
        return False
    found = next((item for item in status.conditions if item.type == ConditionType.STALE), None)
    if threshold is None and found is not None and found.status is ConditionStatus.TRUE:
        return True
    limit = threshold if threshold is not None else stale_threshold(contract.spec, Settings())
    paused = timedelta(seconds=status.paused_seconds or 0)
    return now - status.last_activity_time - paused >= limit
