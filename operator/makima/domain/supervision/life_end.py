"""How the current life of a supervisor ended, if it did, from what is seen of its pod and heard of it."""

from __future__ import annotations

from datetime import datetime

from makima.domain.reasons import AliveReason
from makima.domain.supervision.pods import PodSeen
from makima.domain.supervision.restart import EndKind, LifeEnd
from makima.domain.supervision.steps import Seen
from makima.models.contract import Contract

REASONS = {
    EndKind.EXITED: AliveReason.EXITED,
    EndKind.VANISHED: AliveReason.VANISHED,
    EndKind.TIMED_OUT: AliveReason.TIMED_OUT,
    EndKind.DISRUPTED: AliveReason.DISRUPTED,
    EndKind.ASKED: AliveReason.RESTART_REQUESTED,
}


def asked_to_restart(contract: Contract, incarnation: int) -> bool:
    """Whether spec.restartSupervisor names this very life; a later one is left alone."""
    request = contract.spec.restart_supervisor
    return request is not None and request.expected_incarnation == incarnation


def end_of(seen: Seen) -> LifeEnd | None:
    """How the life that the status carries, and whose pod it names, ended; None = it goes on."""
    if asked_to_restart(seen.contract, seen.incarnation):
        return LifeEnd(EndKind.ASKED, lived=_lived(seen, seen.now), detail="spec.restartSupervisor")
    if seen.pod is None:
        return LifeEnd(EndKind.VANISHED, lived=_lived(seen, seen.now), detail="its pod is gone")
    return _end_of_pod(seen, seen.pod) or _silence(seen)


def _end_of_pod(seen: Seen, pod: PodSeen) -> LifeEnd | None:
    if not pod.finished and pod.gone_by is None:
        return None
    lived = _lived(seen, pod.ended_at or seen.now)
    if pod.disrupted:
        return LifeEnd(EndKind.DISRUPTED, pod.exit_code, lived, pod.reason)
    if not pod.finished:
        return LifeEnd(EndKind.VANISHED, lived=lived, detail="its pod is being deleted")
    kind = EndKind.EXITED if pod.exit_code is not None else EndKind.VANISHED
    return LifeEnd(kind, pod.exit_code, lived, pod.reason)


def _silence(seen: Seen) -> LifeEnd | None:
    if seen.silent_since is None:
        return None
    text = f"nothing was heard since {seen.silent_since.isoformat(timespec='seconds')}"
    return LifeEnd(EndKind.TIMED_OUT, lived=_lived(seen, seen.silent_since), detail=text)


def _lived(seen: Seen, until: datetime) -> float:
    began = seen.pod.started_at if seen.pod is not None else None
    began = began or (seen.own.registered_at if seen.own is not None else None)
    return max(0.0, (until - began).total_seconds()) if began is not None else 0.0
