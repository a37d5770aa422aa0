"""From a pod as Kubernetes tells it to what decisions look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makima.domain.supervision.pods import PodSeen
from makima.models.labels import CONTRACT_LABEL, INCARNATION_LABEL, ROLE_LABEL, SUPERVISOR_ROLE

ENDED = ("Succeeded", "Failed")
REASON = 256


@dataclass(frozen=True, slots=True)
class SupervisorPod:
    """A pod, and whose it is.

    Attributes:
        supervisor: name of the Supervisor.
        owner: UID of the Supervisor that it was made for; one of the same name may have come after it.
        version: resourceVersion as a number; the newer of two pictures of a pod has the higher one.
    """

    namespace: str
    supervisor: str
    owner: str
    pod: PodSeen
    version: int = 0


def read_pod(body: Mapping[str, Any]) -> SupervisorPod | None:
    """The pod; None if it is none that the operator made for a supervisor.

    The supervisor is the first container: once that has ended the life is over, whatever runs on beside it.
    """
    meta = body["metadata"]
    labels = meta.get("labels") or {}
    number = labels.get(INCARNATION_LABEL, "")
    owner = next((item["uid"] for item in meta.get("ownerReferences") or () if item.get("controller")), None)
    if labels.get(ROLE_LABEL) != SUPERVISOR_ROLE or not number.isdigit() or owner is None:
        return None
    version = str(meta.get("resourceVersion", ""))
    pod = _seen(body, int(number))
    return SupervisorPod(
        meta["namespace"], labels.get(CONTRACT_LABEL, ""), owner, pod, int(version) if version.isdigit() else 0
    )


def _seen(body: Mapping[str, Any], incarnation: int) -> PodSeen:
    meta, status = body["metadata"], body.get("status") or {}
    state = _first_state(body)
    ended = state.get("terminated") or {}
    began = (state.get("running") or ended).get("startedAt")
    return PodSeen(
        name=meta["name"],
        uid=meta["uid"],
        incarnation=incarnation,
        started_at=_time(began),
        finished=bool(ended) or status.get("phase") in ENDED,
        exit_code=ended.get("exitCode"),
        ended_at=_time(ended.get("finishedAt")),
        gone_by=_time(meta.get("deletionTimestamp")),
        disrupted=_disrupted(status),
        reason=_reason(ended, status),
    )


def _first_state(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """State of the first container; Kubernetes lists them in any order."""
    name = body["spec"]["containers"][0]["name"]
    listed = (body.get("status") or {}).get("containerStatuses") or ()
    found: Mapping[str, Any] = next((item for item in listed if item["name"] == name), {})
    state: Mapping[str, Any] = found.get("state") or {}
    return state


def _disrupted(status: Mapping[str, Any]) -> bool:
    conditions = status.get("conditions") or ()
    return any(item["type"] == "DisruptionTarget" and item["status"] == "True" for item in conditions)


def _reason(ended: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """OOMKilled, Evicted, …; an ordinary end has none that says more than its exit code."""
    if ended.get("reason") in ("Completed", "Error"):
        return str(ended.get("message") or "")[:REASON]
    parts = (ended.get("reason") or status.get("reason"), ended.get("message") or status.get("message"))
    return ": ".join(str(part).strip() for part in parts if part)[:REASON]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
