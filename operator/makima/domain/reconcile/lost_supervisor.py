"""The step that ends a contract whose supervisor was given up: its restart budget is spent, or a rule says so."""

from __future__ import annotations

from makima.domain.reasons import AliveReason, EventReason, TransitionReason
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.states import RUNNING
from makima.domain.supervision.supervisor_status import alive, alive_reason
from makima.models.contract import Contract
from makima.models.enums import ContractState
from makima.models.supervisor import SupervisorStatus

FAILS_FROM = RUNNING | {ContractState.CREATED}
"""A paused contract fails when it goes on; one that completes completes."""


def fail_with_supervisor(draft: Draft) -> Draft:
    """Active → Failed; not again for an end that the contract was taken up after."""
    supervisor, settings = draft.around.supervisor, draft.around.settings
    if supervisor is None or not settings.supervisor_heartbeat or not settings.enhanced_status:
        return draft
    if draft.status.state not in FAILS_FROM or draft.original.state not in FAILS_FROM:
        return draft  # also where this very draft takes it up again
    if draft.suspended or draft.phase_moved:
        return draft
    if alive_reason(supervisor.status) is not AliveReason.GIVEN_UP or taken_up_after(draft.contract, supervisor.status):
        return draft
    why = (supervisor.status.error_message if supervisor.status else None) or "its supervisor was given up"
    changes = {"state": ContractState.FAILED, "failure_reason": why, "finished_time": draft.now}
    draft = draft.update(**changes, waiting_for=None, blocked_reason=None)
    draft = draft.because(TransitionReason.SUPERVISOR_GIVEN_UP, why)
    return draft.notify(EventReason.FAILED, f"Failed: {why}", warning=True)


def taken_up_after(contract: Contract, status: SupervisorStatus | None) -> bool:
    """Whether spec.retry took the contract up again after its supervisor was given up."""
    given_up = alive(status)
    if given_up is None or contract.status is None:
        return False
    retries = (item.time for item in contract.status.transitions if item.reason == TransitionReason.RETRIED)
    return any(moment >= given_up.last_transition_time for moment in retries)
