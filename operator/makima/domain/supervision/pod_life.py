"""The life of a supervisor that runs in pods: begin it, watch it, end it, let it go."""

from __future__ import annotations

from datetime import datetime, timedelta

from makima.domain.notices import Notice
from makima.domain.reasons import AliveReason, EventReason
from makima.domain.reconcile.lost_supervisor import taken_up_after
from makima.domain.reconcile.states import FINISHED
from makima.domain.supervision.hearing import listen_to
from makima.domain.supervision.life_end import REASONS, end_of
from makima.domain.supervision.pod_demand import PodDemand
from makima.domain.supervision.pods import PodSeen
from makima.domain.supervision.restart import (
    Fail,
    LeaveEnded,
    LifeEnd,
    RestartCounted,
    RestartUncounted,
    after_end,
    restart_delay,
)
from makima.domain.supervision.steps import (
    NOTHING,
    Allocate,
    CreatePod,
    DeletePod,
    NamePod,
    Seen,
    SupervisorDecision,
    WriteStatus,
    written_if_changed,
)
from makima.domain.supervision.supervisor_status import Life, alive, alive_reason
from makima.models.contract import Contract
from makima.models.enums import ContractState

R = AliveReason

LET_GO = frozenset({R.RELEASED, R.SUSPENDED, R.FINISHED, R.ENDED})
"""The life is over, and nothing is wrong: the next one begins when there is work."""

NO_WAIT = frozenset({R.NOT_REGISTERED, R.RESTART_REQUESTED, R.RETRIED})
"""Lives that begin without a back-off."""

OVERDUE = timedelta(seconds=30)
"""How long after its grace a pod may hang before it is deleted without one: its node does not answer."""

LAST_MINUTE = timedelta(seconds=60)
"""How long a supervisor whose contract is finished may take to end by itself."""


def work_left(contract: Contract) -> bool:
    """False once nothing is to be done before a person acts."""
    return contract.status is not None and contract.status.state not in {*FINISHED, ContractState.WAITING_FOR_INPUT}


def run(seen: Seen) -> SupervisorDecision:
    """It has to run."""
    reason = alive_reason(seen.status)
    if not seen.incarnation:
        return SupervisorDecision(Allocate(0))
    if reason is R.GIVEN_UP and not taken_up_after(seen.contract, seen.status):
        return NOTHING
    if reason is R.ENDED and not work_left(seen.contract):
        return NOTHING
    if reason is R.GIVEN_UP or reason in LET_GO:
        return SupervisorDecision(Allocate(seen.incarnation))
    return _start(seen) if seen.status.pod_uid is None else _go_on(seen)


def hold(seen: Seen) -> SupervisorDecision:
    """The contract is paused and its pod stays; one that ends is replaced when the contract goes on."""
    if seen.status.pod_uid is None:
        return NOTHING
    end = end_of(seen)
    return written_if_changed(seen, _living(seen) if end is None else _over(seen, end))


def let_go(seen: Seen, demand: PodDemand) -> SupervisorDecision:
    """It must not have a pod now: say so first, then end the pod."""
    if seen.status.pod_uid is not None and alive_reason(seen.status) is not R.GIVEN_UP:
        stays = _stays_until(seen, demand)
        if stays is not None and stays > seen.now:
            return written_if_changed(seen, _living(seen), wake_at=stays)
        return _say_let_go(seen, demand)
    pods = [pod for pod in seen.pods if pod.incarnation <= seen.incarnation]
    return _end_first(seen, [pod for pod in pods if not (demand is PodDemand.FINISHED and pod.finished)]) or NOTHING


def _go_on(seen: Seen) -> SupervisorDecision:
    end = end_of(seen)
    if end is None:
        ending = _end_first(seen, _left_over(seen))
        if ending is not None and ending.step is not None:
            return ending
        return written_if_changed(seen, _living(seen), listen=listen_to(seen))
    match after_end(end, seen.supervisor.spec.restart, seen.restarts, work_left=work_left(seen.contract)):
        case LeaveEnded():
            return SupervisorDecision(WriteStatus(seen.shown(_over(seen, end, R.ENDED))))
        case Fail(reason):
            life = Life(seen.incarnation, seen.restarts, R.GIVEN_UP, reason, seen.pod)
            notice = Notice(EventReason.SUPERVISOR_GIVEN_UP, reason, warning=True)
            return SupervisorDecision(WriteStatus(seen.shown(life), notice))
        case RestartCounted() | RestartUncounted():
            return SupervisorDecision(Allocate(seen.incarnation))


def _living(seen: Seen) -> Life:
    """How a life stands that has not ended."""
    registered = seen.own is not None and seen.own.registration_id is not None
    why = R.HEARTBEATING if registered else R.STARTING
    name = seen.pod.name if seen.pod is not None else "?"
    text = f"Life {seen.incarnation} is registered" if registered else f"Pod {name} starts"
    return Life(seen.incarnation, seen.restarts, why, text, seen.pod)


def _over(seen: Seen, end: LifeEnd, why: AliveReason | None = None) -> Life:
    pod = seen.pod or PodSeen(seen.status.pod_name or "", seen.status.pod_uid or "", seen.incarnation)
    return Life(seen.incarnation, seen.restarts, why or REASONS[end.kind], f"It ended with {end}", pod)


def _start(seen: Seen) -> SupervisorDecision:
    """The status carries a life that has no pod yet: end what is left of those before, wait, make it, name it."""
    mine = next((pod for pod in seen.pods if pod.incarnation == seen.incarnation), None)
    if mine is not None:
        return _name(seen, mine)
    ending = _end_first(seen, _left_over(seen))
    if ending is not None:
        return ending
    due = _due(seen)
    if due is not None and due > seen.now:
        return _waiting(seen, due)
    return SupervisorDecision(CreatePod(seen.incarnation))


def _name(seen: Seen, pod: PodSeen) -> SupervisorDecision:
    if seen.own is None or str(seen.own.pod_uid) != pod.uid:
        return SupervisorDecision(NamePod(seen.incarnation, pod))
    life = Life(seen.incarnation, seen.restarts, R.STARTING, f"Pod {pod.name} starts", pod)
    return SupervisorDecision(WriteStatus(seen.shown(life)))


def _left_over(seen: Seen) -> list[PodSeen]:
    """Pods of earlier lives that have to go. The last that ended by itself does nothing any more, and stays: its log
    goes with it, and is the one that people want to read (`logs --previous`)."""
    older = [pod for pod in seen.pods if pod.incarnation < seen.incarnation]
    ended = [pod for pod in older if pod.finished and pod.gone_by is None]
    kept = max(ended, key=lambda pod: pod.incarnation, default=None)
    return [pod for pod in older if pod is not kept]


def _end_first(seen: Seen, pods: list[PodSeen]) -> SupervisorDecision | None:
    """End these pods, one step each, and wait until none of them runs: a workspace has one user at a time.

    Returns:
        None once nothing of them runs any more.
    """
    for pod in pods:
        if pod.gone_by is None:
            return SupervisorDecision(DeletePod(pod))
        if not pod.finished and seen.now >= pod.gone_by + OVERDUE:
            return SupervisorDecision(DeletePod(pod, at_once=True))
    waited = [pod.gone_by + OVERDUE for pod in pods if pod.gone_by is not None and not pod.finished]
    return SupervisorDecision(wake_at=min(waited)) if waited else None


def _due(seen: Seen) -> datetime | None:
    """When the back-off after the last life is over; None = there is none."""
    ended = alive(seen.status)
    if ended is None or alive_reason(seen.status) in NO_WAIT:
        return None
    settings, uid = seen.supervisor.spec.restart.backoff, seen.supervisor.metadata.uid
    delay = restart_delay(settings, seen.restarts, uid, seen.incarnation - 1)
    return ended.last_transition_time + timedelta(seconds=delay)


def _waiting(seen: Seen, due: datetime) -> SupervisorDecision:
    ended = alive(seen.status)
    why, said = alive_reason(seen.status) or R.VANISHED, ended.message if ended is not None else ""
    text = f"Restarts at {due.isoformat(timespec='seconds')}: {said}"
    return written_if_changed(seen, Life(seen.incarnation, seen.restarts, why, said, ready=text), wake_at=due)


def _say_let_go(seen: Seen, demand: PodDemand) -> SupervisorDecision:
    why = {PodDemand.SUSPENDED: R.SUSPENDED, PodDemand.FINISHED: R.FINISHED}.get(demand, R.RELEASED)
    life = Life(seen.incarnation, seen.restarts, why, f"Its pod is freed: {demand.value}")
    return SupervisorDecision(WriteStatus(seen.shown(life), Notice(EventReason.SUPERVISOR_RELEASED, life.text)))


def _stays_until(seen: Seen, demand: PodDemand) -> datetime | None:
    finished = seen.contract.status.finished_time if seen.contract.status is not None else None
    if demand is not PodDemand.FINISHED or finished is None or seen.pod is None or seen.pod.finished:
        return None
    return finished + LAST_MINUTE
