"""Whether a supervisor has to have a pod now."""

from __future__ import annotations

from enum import Enum

from makima.domain.reconcile.states import FINISHED
from makima.models.contract import Contract
from makima.models.enums import ContractState, WhileWaiting
from makima.models.supervisor import Supervisor


class PodDemand(Enum):
    """What a supervisor's pod has to do; the text says why, for people."""

    RUN = "it has work"
    HOLD = "the contract is paused, and its pod stays"
    SUSPENDED = "spec.suspend"
    PAUSED = "the contract is paused"
    WAITING = "the contract waits for a person"
    FINISHED = "the contract is finished"


def demand_for(contract: Contract, supervisor: Supervisor) -> PodDemand:
    """Whether it has to run, and why not."""
    status, spec = contract.status, supervisor.spec
    if status is None:
        return PodDemand.HOLD
    release = spec.while_waiting is WhileWaiting.RELEASE
    if status.state in FINISHED:
        return PodDemand.FINISHED
    if spec.suspend:
        return PodDemand.SUSPENDED
    if contract.spec.suspend or status.state is ContractState.PAUSED:
        return PodDemand.PAUSED if release else PodDemand.HOLD
    if status.state is ContractState.WAITING_FOR_INPUT and release:
        return PodDemand.WAITING
    return PodDemand.RUN
