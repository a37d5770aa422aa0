"""The first decision about a contract: accepted, with its first version, or refused with the reason."""

from __future__ import annotations

from datetime import datetime

from makima.domain.notices import Notice
from makima.domain.reasons import ConditionType, EventReason, TransitionReason
from makima.domain.reconcile.acceptance import Refused, accept
from makima.domain.reconcile.conditions import contract_conditions, merge
from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.draft import Draft, Surroundings
from makima.domain.reconcile.gates import phase_progress
from makima.domain.reconcile.reports import invalid_deliverables
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, Transition
from makima.models.enums import ConditionStatus, ContractState
from makima.models.gate import Phase


def decide_acceptance(contract: Contract, around: Surroundings) -> Decision:
    """Created with the first version, or conditions that say why not."""
    answer = accept(contract, around.contract_type)
    if isinstance(answer, Refused):
        return _refuse(contract, answer, around.now)
    return _first_status(contract, answer.phases, around)


def _refuse(contract: Contract, refused: Refused, now: datetime) -> Decision:
    finding = (ConditionType.READY, ConditionStatus.FALSE, refused.reason, refused.message)
    conditions = merge(contract.early_conditions, [finding], contract.metadata.generation, now)
    if conditions == contract.early_conditions:
        return Decision()
    return Decision(refusal=conditions, notices=(Notice(EventReason.REFUSED, refused.message, warning=True),))


def _first_status(contract: Contract, phases: tuple[Phase, ...], around: Surroundings) -> Decision:
    now, first = around.now, phases[0].name
    transition = Transition(
        version=1,
        time=now,
        reason=TransitionReason.ACCEPTED,
        to_state=ContractState.CREATED,
        to_phase=first,
        message="Accepted",
    )
    status = ContractStatus(
        state=ContractState.CREATED,
        phase=first,
        version=1,
        phase_progress=phase_progress(phases, first),
        phases=phases,
        phase_start_time=now,
        state_changed_time=now,
        last_activity_time=now,
        transitions=(transition,),
        observed_generation=contract.metadata.generation,
        conditions=contract.early_conditions,
    )
    draft = Draft(contract, around, status, status)
    status = status.model_copy(update={"conditions": contract_conditions(draft)})
    notices = tuple(
        Notice(EventReason.INVALID_DELIVERABLE, f"INVALID_DELIVERABLE: {wrong}", warning=True)
        for wrong in invalid_deliverables(draft)
    )
    return Decision(status=status, notices=notices)
