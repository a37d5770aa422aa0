"""From a status that somebody wants to the change of `spec` that says so (plan 1.4: pause, resume, retry, archive)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makima.domain.reconcile.states import TRANSITIONS
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState

S = ContractState
Operation = Mapping[str, Any]
"""One operation of a JSON patch."""

ASKED_FOR = (S.ACTIVE, S.PAUSED, S.ARCHIVED)
"""What people ask for; the other states follow from what happens."""


@dataclass(frozen=True, slots=True)
class Change:
    """Write this into the spec; no operation: it is so already."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The contract can't come from its state to the one that is wanted.

    Attributes:
        allowed: what can be asked for now.
    """

    reason: str
    allowed: tuple[ContractState, ...]


def status_wish(contract: Contract, status: ContractStatus, wanted: ContractState, reason: str) -> Change | NotAllowed:
    """What has to be written so that the contract becomes `wanted`."""
    match wanted:
        case S.PAUSED:
            found = _pause(contract, status, reason)
        case S.ACTIVE:
            found = _go_on(contract, status)
        case S.ARCHIVED:
            found = _archive(status)
        case S.COMPLETED:
            found = "a contract completes by moving on from its last phase: ask for the phase Completed"
        case _:
            found = f"{wanted.snake} follows from what happens; it is not asked for"
    return Change(found) if isinstance(found, tuple) else NotAllowed(found, allowed_wishes(status.state))


def allowed_wishes(state: ContractState) -> tuple[ContractState, ...]:
    """What can be asked for in this state."""
    goes_on = state in (S.PAUSED, S.FAILED)
    able = {S.ACTIVE: goes_on, S.PAUSED: _may(state, S.PAUSED), S.ARCHIVED: _may(state, S.ARCHIVED)}
    return tuple(wish for wish in ASKED_FOR if able[wish])


def put(path: str, value: object) -> Operation:
    """Set a field of the spec, whether it was there or not."""
    return {"op": "add", "path": f"/spec/{path}", "value": value}


def as_read(status: ContractStatus) -> Operation:
    """Only if the contract still has the version that the change was decided by."""
    return {"op": "test", "path": "/status/version", "value": status.version}


def _may(old: ContractState, new: ContractState) -> bool:
    return new in TRANSITIONS[old]


def _pause(contract: Contract, status: ContractStatus, reason: str) -> tuple[Operation, ...] | str:
    if status.state is S.PAUSED and contract.spec.suspend:
        return ()
    if status.state is not S.PAUSED and not _may(status.state, S.PAUSED):
        return f"a contract that is {status.state.snake} can't be paused"
    return (put("suspend", value=True), *_reason(contract, reason))


def _go_on(contract: Contract, status: ContractStatus) -> tuple[Operation, ...] | str:
    resumed = (put("suspend", value=False), *_reason(contract, "")) if contract.spec.suspend else ()
    match status.state:
        case S.FAILED:
            return (*resumed, put("retry", {"expectedVersion": status.version}))
        case S.PAUSED:
            return resumed
        case S.ACTIVE:
            return resumed
        case S.COMPLETED | S.ARCHIVED:
            return f"a contract that is {status.state.snake} is not taken up again"
        case _ if resumed:
            return resumed
        case _:
            return f"a contract that is {status.state.snake} becomes active by itself"


def _archive(status: ContractStatus) -> tuple[Operation, ...] | str:
    if status.state is S.ARCHIVED:
        return ()
    if not _may(status.state, S.ARCHIVED):
        return f"a contract that is {status.state.snake} can't be archived; pause it first"
    return (put("archived", value=True),)


def _reason(contract: Contract, reason: str) -> tuple[Operation, ...]:
    if reason:
        return (put("suspendReason", reason),)
    return ({"op": "remove", "path": "/spec/suspendReason"},) if contract.spec.suspend_reason is not None else ()
