"""What Supervisor.status shows: of the row in Postgres, of the pod, and of how the life stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from makima.domain.reasons import AliveReason, ConditionType
from makima.domain.supervision.pods import PodSeen
from makima.models.condition import Condition
from makima.models.enums import ConditionStatus, RestorationOutcome, SupervisorState
from makima.models.supervision import Session
from makima.models.supervisor import Restoration, Supervisor, SupervisorStatus

T, F, U = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
R = AliveReason

QUIET = frozenset({"current_activity", "progress", "last_heartbeat_time", "pending_tasks"})
"""Fields that are only shown: a change of nothing else is written within the fleet's budget."""

STATUS_OF = {R.HEARTBEATING: T, R.NOT_REGISTERED: U, R.STARTING: U}
"""Status of Alive by reason; False for every other."""

KEPT_STATE = frozenset({R.HEARTBEATING, R.NOT_REGISTERED, R.ENDED, R.RELEASED, R.FINISHED, R.RESTART_REQUESTED})
"""Reasons with which the state is what the supervisor itself said last."""

SENTENCE = 1024


@dataclass(frozen=True, slots=True)
class Life:
    """How the current life stands.

    Attributes:
        why: reason of the condition Alive.
        text: the same in a sentence.
        ready: what the condition Ready says instead, where that differs (waits for its back-off, ...).
    """

    incarnation: int
    restarts: int
    why: AliveReason
    text: str
    pod: PodSeen | None = None
    ready: str | None = None


def show(supervisor: Supervisor, life: Life, session: Session | None, now: datetime) -> SupervisorStatus:
    """The status of a supervisor whose current life stands like this; times of unchanged conditions stay.

    Args:
        session: of this very life, or None.
    """
    before = supervisor.status or SupervisorStatus()
    told = _told(session) if session is not None else {}
    generation = supervisor.metadata.generation
    return before.model_copy(
        update={
            **told,
            "state": _state(life, session),
            "incarnation": life.incarnation,
            "restarts": life.restarts,
            "pod_name": life.pod.name if life.pod is not None else None,
            "pod_uid": life.pod.uid if life.pod is not None else None,
            "error_message": _error(life, session),
            "observed_generation": generation,
            "conditions": _conditions(before, life, session, generation, now),
        }
    )


def quiet_difference(before: SupervisorStatus, after: SupervisorStatus) -> bool:
    """Whether the two differ only in what is merely shown."""
    return before.model_dump(exclude=set(QUIET)) == after.model_dump(exclude=set(QUIET))


def alive_reason(status: SupervisorStatus | None) -> AliveReason | None:
    """Why the current life is, or is not, alive; None before the first."""
    found = alive(status)
    return AliveReason(found.reason) if found is not None and found.reason in set(AliveReason) else None


def alive(status: SupervisorStatus | None) -> Condition | None:
    """The condition Alive."""
    conditions = status.conditions if status is not None else ()
    return next((item for item in conditions if item.type == ConditionType.ALIVE), None)


def _told(session: Session) -> dict[str, object]:
    """What the supervisor itself says; a heartbeat's time counts once this life has sent one."""
    shown: dict[str, object] = {
        "phase": session.phase,
        "current_activity": session.current_activity[:SENTENCE] or None,
        "progress": session.progress,
        "pending_tasks": len(session.pending_task_ids),
    }
    if session.sequence and session.last_heartbeat_at is not None:
        shown["last_heartbeat_time"] = session.last_heartbeat_at
    if session.restoration is not None and session.restored_at is not None:
        text = session.restoration_text[:SENTENCE] if session.restoration_text else None
        shown["restoration"] = Restoration(outcome=session.restoration, time=session.restored_at, message=text)
    return shown


def _state(life: Life, session: Session | None) -> SupervisorState:
    if life.why is R.GIVEN_UP:
        return SupervisorState.FAILED
    if life.why is R.STARTING:
        return SupervisorState.INITIALIZING
    if life.why not in KEPT_STATE:
        return SupervisorState.INTERRUPTED
    return session.state if session is not None else SupervisorState.INITIALIZING


def _error(life: Life, session: Session | None) -> str | None:
    said = session.error_message if session is not None else None
    ended = life.text if life.why in (R.GIVEN_UP, R.EXITED, R.VANISHED, R.TIMED_OUT, R.DISRUPTED) else None
    found = ended or said
    return found[:SENTENCE] if found else None


def _conditions(
    before: SupervisorStatus, life: Life, session: Session | None, generation: int, now: datetime
) -> tuple[Condition, ...]:
    is_alive = STATUS_OF.get(life.why, F)
    findings = [
        (ConditionType.READY, is_alive if is_alive is not U else F, life.why.value, life.ready or life.text),
        (ConditionType.ALIVE, is_alive, life.why.value, life.text),
        *_restored(session),
    ]
    return _merged(before.conditions, findings, generation, now)


def _restored(session: Session | None) -> Iterable[tuple[ConditionType, ConditionStatus, str, str]]:
    if session is None or session.restoration is None or session.incarnation <= 1:
        return
    fresh = session.restoration is RestorationOutcome.FRESH
    text = session.restoration_text or f"{session.restoration}"
    yield ConditionType.RESTORED, F if fresh else T, session.restoration.value, text


def _merged(
    old: Iterable[Condition],
    findings: Iterable[tuple[ConditionType, ConditionStatus, str, str]],
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    conditions = {condition.type: condition for condition in old}
    for kind, status, reason, message in findings:
        before = conditions.get(kind)
        since = before.last_transition_time if before is not None and before.status is status else now
        conditions[kind] = Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message[:SENTENCE],
            observed_generation=generation,
            last_transition_time=since,
        )
    return tuple(conditions.values())
