"""A supervisor that runs somewhere else: it is listened to, told to restart, and restores itself when it comes back."""

from __future__ import annotations

from makima.domain.reasons import AliveReason
from makima.domain.supervision.hearing import listen_to
from makima.domain.supervision.life_end import asked_to_restart
from makima.domain.supervision.pod_demand import PodDemand, demand_for
from makima.domain.supervision.steps import NOTHING, AskRestart, DeletePod, Seen, SupervisorDecision, written_if_changed
from makima.domain.supervision.supervisor_status import Life, alive_reason

R = AliveReason


def follow_external(seen: Seen) -> SupervisorDecision:
    """Pods that are left from when it had a template go; else it is shown as it is heard."""
    left = next((pod for pod in seen.pods if pod.gone_by is None), None)
    if left is not None:
        return SupervisorDecision(DeletePod(left))
    if seen.own is None or not seen.incarnation:
        return NOTHING
    if asked_to_restart(seen.contract, seen.incarnation):
        return _ask(seen, R.RESTART_REQUESTED, "spec.restartSupervisor asks for it")
    if seen.silent_since is not None and demand_for(seen.contract, seen.supervisor) is PodDemand.RUN:
        text = f"Nothing was heard since {seen.silent_since.isoformat(timespec='seconds')}"
        return _ask(seen, R.TIMED_OUT, text)
    registered = seen.own.registration_id is not None
    why = R.HEARTBEATING if registered else R.NOT_REGISTERED
    text = f"Life {seen.incarnation} is registered" if registered else "It has not registered yet"
    return written_if_changed(seen, Life(seen.incarnation, seen.restarts, why, text), listen=listen_to(seen))


def _ask(seen: Seen, why: AliveReason, text: str) -> SupervisorDecision:
    """Once; then the status says so, and what it does is for its wrapper."""
    if alive_reason(seen.status) is why:
        return NOTHING
    life = Life(seen.incarnation, seen.restarts, why, text)
    return SupervisorDecision(AskRestart(seen.incarnation, text, seen.shown(life)))
