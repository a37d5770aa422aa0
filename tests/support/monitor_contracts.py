"""Contracts and supervisors for the monitor's tests, as the API server gives them at one moment that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from makima.models.contract import Contract
from makima.models.supervisor import Supervisor

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""The moment in which the world stands still."""

DIGEST = "sha256:" + "9f86d081884c7d659a2feaa0c55ad015" * 2


def uid_of(namespace: str, name: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{namespace}/{name}"))


def time_ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


PHASES: dict[str, tuple[tuple[str, str], ...]] = {
    "simple": (("plan", "plan-document"), ("execute", "pull-request")),
    "specification": (
        ("research", "research-notes"),
        ("specify", "requirements-document"),
        ("plan", "plan-document"),
        ("execute", "pull-request"),
        ("review", "release-notes"),
    ),
    "execute": (("execute", "pull-request"),),
}


def a_body(
    name: str,
    state: str = "Active",
    *,
    namespace: str = "team-a",
    kind: str = "simple",
    step: int = 1,
    since: float = 600,
    age: float = 7200,
    version: int = 3,
    guard: bool = False,
    done: Sequence[str] = (),
    **status: Any,
) -> dict[str, Any]:
    """A contract as the API server gives it; `done` are ids of deliverables of the current phase that are there."""
    names = PHASES[kind]
    phases = [
        {
            "name": phase,
            "deliverables": [{"id": item, "priority": "Required"}, {"id": f"{phase}-log", "priority": "Optional"}],
            "gate": {"autoAdvance": True},
        }
        for phase, item in names
    ]
    behind = [
        {"phase": phase, "id": item, "completedTime": time_ago(since + 60), "digest": DIGEST}
        for phase, item in names[: step - 1]
    ]
    here = [
        {
            "phase": names[step - 1][0],
            "id": item,
            "completedTime": time_ago(since),
            "completedBy": "system:serviceaccount:team-a:agent",
            "digest": DIGEST,
            "uri": f"https://git.example/{name}/pull/7",
        }
        for item in done
    ]
    moved = {
        "version": version,
        "time": time_ago(since),
        "reason": "Advanced",
        "message": f"{state}",
        "fromState": "Active" if state != "Active" else "Created",
        "toState": state,
        "fromPhase": names[max(0, step - 2)][0],
        "toPhase": names[step - 1][0],
    }
    spec: dict[str, Any] = {"type": kind, "phaseGuard": guard, "answers": [], "deliverables": []}
    if state == "Paused":
        spec |= {"suspend": True, "suspendReason": "waits for the release window"}
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid_of(namespace, name),
            "generation": 1,
            "resourceVersion": "10",
            "creationTimestamp": time_ago(age),
        },
        "spec": spec,
        "status": {
            "state": state,
            "phase": names[step - 1][0],
            "version": version,
            "phases": phases,
            "deliverables": behind + here,
            "phaseStartTime": time_ago(since),
            "stateChangedTime": time_ago(since),
            "lastActivityTime": time_ago(min(since, 30)),
            "supervisorRef": {"name": name, "uid": uid_of(namespace, "sup-" + name), "incarnation": 2, "restarts": 1},
            "transitions": [moved],
            "conditions": [],
            **status,
        },
    }


def a_contract(name: str, state: str = "Active", **fields: Any) -> Contract:
    """The same as a model."""
    return Contract.from_object(a_body(name, state, **fields))


def a_question(number: int, text: str, *options: str, since: float = 600) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "question": text,
        "type": "choice" if options else "free-text",
        "phase": "plan",
        "askedTime": time_ago(since),
        "options": list(options),
    }


def a_supervisor(
    name: str, state: str = "Working", *, namespace: str = "team-a", heard: float = 8, restarts: int = 0, **status: Any
) -> Supervisor:
    """The supervisor of the contract of this name."""
    told = {
        "state": state,
        "lastHeartbeatTime": time_ago(heard),
        "incarnation": 2,
        "restarts": restarts,
        "podName": f"{name}-2",
        "phase": "plan",
        **status,
    }
    meta = {"name": name, "namespace": namespace, "uid": uid_of(namespace, "sup-" + name)}
    return Supervisor.model_validate({"metadata": meta, "spec": {}, "status": told})


def stale_condition(minutes: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "Stale",
            "status": "True",
            "reason": "NoActivity",
            "message": f"No activity for {minutes} minutes",
            "observedGeneration": 1,
            "lastTransitionTime": time_ago(minutes * 60 - 1800),
        }
    ]
