"""Whether a supervisor has to have a pod now."""

from __future__ import annotations

from enum import Enum

from makima.domain.states import FINISHED
from makima.models.contract import Contract
from makima.models.enums import ContractState, WhileWaiting
from makima.models.supervisor import Supervisor


class Call(Enum):
    """What a supervisor's pod has to do; the text says why, for people."""

    RUN = "it has work"
    HOLD = "the contract is paused, and its pod stays"
    SUSPENDED = "spec.suspend"
    PAUSED = "the contract is paused"
    WAITING = "the contract waits for a person"
    FINISHED = "the contract is finished"


def call_for(contract: Contract, supervisor: Supervisor) -> Call:
    """Whether it has to run, and why not."""
    status, spec = contract.status, supervisor.spec
    if status is None:
        return Call.HOLD
    release = spec.while_waiting is WhileWaiting.RELEASE
    if status.state in FINISHED:
        return Call.FINISHED
    if spec.suspend:
        return Call.SUSPENDED
    if contract.spec.suspend or status.state is ContractState.PAUSED:
        return Call.PAUSED if release else Call.HOLD
    if status.state is ContractState.WAITING_FOR_INPUT and release:
        return Call.WAITING
    return Call.RUN
