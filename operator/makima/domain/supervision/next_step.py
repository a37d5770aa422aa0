"""What to do about a supervisor: one look, one decision, at most one step. Called again until nothing is left to do.

The order of a restart (design, "Restart"): Postgres gives the next incarnation, the status carries it, the old pod is
deleted, the back-off passes, a pod named after the incarnation is made, and its UID goes to Postgres and to the status.
Every step is told from what is stored by then, so another operator goes on where one stopped.
"""

from __future__ import annotations

from makima.domain.notices import Notice
from makima.domain.reasons import AliveReason, EventReason
from makima.domain.supervision.external_life import follow_external
from makima.domain.supervision.life_end import REASONS, end_of
from makima.domain.supervision.pod_demand import PodDemand, demand_for
from makima.domain.supervision.pod_life import hold, let_go, run, work_left
from makima.domain.supervision.restart import RestartCounted, RestartUncounted, after_end
from makima.domain.supervision.steps import NOTHING, Allocate, Seen, SupervisorDecision, WriteStatus
from makima.domain.supervision.supervisor_status import Life, alive_reason
from makima.models.supervision import Session

R = AliveReason


def decide_supervisor(seen: Seen) -> SupervisorDecision:
    """The one next thing to do about a supervisor."""
    contract, supervisor = seen.contract, seen.supervisor
    if contract.status is None or contract.metadata.deleting or supervisor.metadata.deleting:
        return NOTHING  # its pods go with it
    behind = _catch_up(seen)
    if behind is not None:
        return behind
    if supervisor.spec.template is None:
        return follow_external(seen)
    demand = demand_for(contract, supervisor)
    if demand is PodDemand.RUN:
        return run(seen)
    return hold(seen) if demand is PodDemand.HOLD else let_go(seen, demand)


def _catch_up(seen: Seen) -> SupervisorDecision | None:
    """Bring status and Postgres to the same life; None = they are."""
    session, known = seen.session, seen.incarnation
    if session is None:
        return SupervisorDecision(Allocate(known)) if known else None
    if session.incarnation < known:  # a Postgres that lost commits: what was given out is not given again
        return SupervisorDecision(Allocate(known))
    if str(session.task_id) != seen.supervisor.metadata.uid:  # lives of a Supervisor before this one
        pods = seen.supervisor.spec.template is not None
        needed = pods and demand_for(seen.contract, seen.supervisor) is PodDemand.RUN
        return SupervisorDecision(Allocate(session.incarnation)) if needed else None
    return SupervisorDecision(_next_life(seen, session)) if session.incarnation > known else None


def _next_life(seen: Seen, session: Session) -> WriteStatus:
    """The status takes up the life that Postgres has begun, and says how the one before it ended."""
    number = session.incarnation
    if not seen.incarnation:
        return WriteStatus(seen.shown(Life(number, 0, R.NOT_REGISTERED, "Its first life begins")))
    why, text, restarts = _ended(seen)
    status = seen.shown(Life(number, restarts, why, text))
    if why in (R.NOT_REGISTERED, R.RETRIED):
        return WriteStatus(status, Notice(EventReason.SUPERVISOR_STARTED, f"Life {number} begins"))
    notice = Notice(EventReason.SUPERVISOR_RESTARTED, f"Life {number} begins: {text}", warning=True)
    return WriteStatus(status, notice, why.value)


def _ended(seen: Seen) -> tuple[AliveReason, str, int]:
    """How the life that the status carries is over, in a sentence, and the restarts counted with it."""
    before, reason, number = seen.restarts, alive_reason(seen.status), seen.incarnation
    if seen.supervisor.spec.template is None:
        return R.NOT_REGISTERED, f"Another life than {number} registered", before + 1
    if reason in (R.RELEASED, R.SUSPENDED, R.ENDED):
        return R.NOT_REGISTERED, "It is needed again", before
    if reason in (R.GIVEN_UP, R.FINISHED):
        return R.RETRIED, "The contract was taken up again", 0
    end = end_of(seen)
    if end is None:
        return R.RESTART_REQUESTED, f"life {number} was replaced", before
    after = after_end(end, seen.supervisor.spec.restart, before, work_left=work_left(seen.contract))
    counted = after.restarts if isinstance(after, RestartCounted | RestartUncounted) else before
    return REASONS[end.kind], f"life {number} ended with {end}", counted
