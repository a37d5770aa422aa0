"""Where a contract that is under way rests: decided from what is so now, whatever brought it there."""

from __future__ import annotations

from dataclasses import dataclass

from makima.domain.reasons import AliveReason, EventReason, TransitionReason
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.gates import Ready
from makima.domain.reconcile.phase_change import destination
from makima.domain.reconcile.progress import advances_by_itself
from makima.domain.reconcile.states import RUNNING
from makima.domain.supervision.supervisor_status import alive_reason
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState, SupervisorState
from makima.models.supervisor import SupervisorStatus

S = ContractState

SUPERVISOR_WAITS = "its supervisor waits for a person"
"""`waitingFor` where the supervisor says that it waits, and has put no question."""

MUTE = frozenset({SupervisorState.INTERRUPTED, SupervisorState.INITIALIZING})
"""States in which a supervisor says nothing about its work: it died, or has not come back yet."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Where a contract under way stands when nothing moves it, and why."""

    state: ContractState
    reason: TransitionReason
    waiting_for: str | None = None
    blocked_reason: str | None = None


def rest_of(draft: Draft) -> Rest:
    """Where the contract stands, decided from what is so now; also how Paused decides anew at resume."""
    if not draft.around.settings.enhanced_status:
        return _working()
    status, original = _supervisor(draft), draft.original
    blocked = _blocked_by(status, original)
    if blocked is not None:
        return Rest(S.BLOCKED, TransitionReason.BLOCKED, blocked_reason=blocked)
    if _awaits_confirmation(draft):
        waiting = f"confirmation: {draft.status.phase} → {destination(draft.status)}"
        return Rest(S.WAITING_FOR_INPUT, TransitionReason.WAITING_FOR_CONFIRMATION, waiting)
    if draft.status.questions:
        return _waiting(f"answer: {draft.status.questions[0].question}"[:1024])
    if _still_waits(draft.status, original) if _is_mute(status) else _waits(status):
        return _waiting(SUPERVISOR_WAITS)
    return _working()


def _supervisor(draft: Draft) -> SupervisorStatus | None:
    seen = draft.around.supervisor if draft.around.settings.supervisor_heartbeat else None
    return seen.status if seen is not None else None


def _working() -> Rest:
    return Rest(S.ACTIVE, TransitionReason.WORK_RESUMED)


def _waiting(what: str) -> Rest:
    return Rest(S.WAITING_FOR_INPUT, TransitionReason.WAITING_FOR_ANSWER, what)


def _is_mute(status: SupervisorStatus | None) -> bool:
    said = status.state if status is not None else None
    return said in MUTE or alive_reason(status) is AliveReason.RELEASED


def _blocked_by(status: SupervisorStatus | None, original: ContractStatus) -> str | None:
    if _is_mute(status):
        return original.blocked_reason if original.state is S.BLOCKED else None
    if status is None or status.state is not SupervisorState.BLOCKED:
        return None
    return status.error_message or "its supervisor is blocked"


def _waits(status: SupervisorStatus | None) -> bool:
    return status is not None and status.state is SupervisorState.WAITING_FOR_USER


def _still_waits(status: ContractStatus, original: ContractStatus) -> bool:
    """Whether its supervisor waited for a person before it died or was let go, and nothing has come of that since."""
    waited = original.state is S.WAITING_FOR_INPUT and original.waiting_for == SUPERVISOR_WAITS
    return waited and status.phase == original.phase


def _awaits_confirmation(draft: Draft) -> bool:
    return draft.spec.phase_guard and advances_by_itself(draft) and isinstance(draft.readiness(), Ready)


def settle(draft: Draft) -> Draft:
    """Bring a contract that is under way into the state in which it rests."""
    if draft.status.state not in RUNNING or draft.suspended or draft.question is not None:
        return draft  # with a question open, where it rests is not known yet
    rest = rest_of(draft)
    if not draft.may_become(rest.state):
        return draft
    waiting = rest.waiting_for != draft.original.waiting_for and rest.waiting_for is not None
    if rest.state is not draft.status.state:
        draft = draft.because(rest.reason, rest.waiting_for or rest.blocked_reason or f"{rest.state}")
    draft = draft.update(state=rest.state, waiting_for=rest.waiting_for, blocked_reason=rest.blocked_reason)
    return _tell_rest(draft, rest) if waiting or _newly_blocked(draft, rest) else draft


def _newly_blocked(draft: Draft, rest: Rest) -> bool:
    return rest.state is S.BLOCKED and draft.original.state is not S.BLOCKED


def _tell_rest(draft: Draft, rest: Rest) -> Draft:
    if rest.reason is TransitionReason.WAITING_FOR_CONFIRMATION:
        return draft.notify(
            EventReason.CONFIRMATION_REQUIRED, f"Waits for {rest.waiting_for}; spec.advance confirms it"
        )
    if rest.state is S.BLOCKED:
        return draft.notify(EventReason.BLOCKED, f"Blocked: {rest.blocked_reason}", warning=True)
    return draft.notify(EventReason.ANSWER_REQUIRED, f"Waits for {rest.waiting_for}")
