"""What both twins decide: the next status of a contract, as little as CRD rules and policies accept.

The same states, versions and transitions as makima for contracts whose gates ask for deliverables at most. No
conditions, no tasks, no questions, no validators, no retries, no history: whatever is left out makes the twins faster.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
COMPLETED = "Completed"
UNDER_WAY = ("Active", "WaitingForInput")
PAUSABLE = ("Created", *UNDER_WAY)


def next_status(body: Object, now: datetime | None = None) -> Object | None:  # noqa: PLR0911  # one line per case
    """The whole next status, one version further; None if nothing is to be done now."""
    time = (now or datetime.now(UTC)).isoformat().replace("+00:00", "Z")
    spec, status = body["spec"], body.get("status") or {}
    if not status.get("state"):
        return _accepted(body, time)
    fresh = _unrecorded(spec, status)
    if fresh:
        return _reported(status, fresh, time)
    if spec.get("suspend") and status["state"] in PAUSABLE:
        return _step(status, time, "Paused", state="Paused", pausedFrom=status["state"], waitingFor=None)
    if not spec.get("suspend") and status["state"] == "Paused":
        back = "Created" if status.get("pausedFrom") == "Created" else "Active"
        return _step(status, time, "Resumed", state=back, pausedFrom=None)
    if status["state"] == "Completing":
        return _step(status, time, COMPLETED, state=COMPLETED, finishedTime=time)
    if spec.get("suspend") or status["state"] not in UNDER_WAY:
        return None
    return _moved(spec, status, time)


def _accepted(body: Object, time: str) -> Object:
    phases = body["spec"]["phases"]
    first = phases[0]["name"]
    base = {"phases": phases, "phaseProgress": f"1/{len(phases)}", "lastActivityTime": time, "stateChangedTime": time}
    entry = {"version": 1, "time": time, "reason": "Accepted", "toState": "Created", "toPhase": first}
    return {**base, "state": "Created", "phase": first, "version": 1, "phaseStartTime": time, "transitions": [entry]}


def _unrecorded(spec: Object, status: Object) -> list[Object]:
    there = {(item["phase"], item["id"]) for item in status.get("deliverables") or ()}
    return [item for item in spec.get("deliverables") or () if (item["phase"], item["id"]) not in there]


def _reported(status: Object, fresh: list[Object], time: str) -> Object:
    done = [*(status.get("deliverables") or ()), *({**item, "completedTime": time} for item in fresh)]
    state = "Active" if status["state"] == "Created" else status["state"]
    return _step(status, time, "DeliverableCompleted", deliverables=done, state=state, lastActivityTime=time)


def _moved(spec: Object, status: Object, time: str) -> Object | None:
    goal, guarded = _goal(status), spec.get("phaseGuard", False)
    if not _ready(status, status["phase"]):
        return None
    if not guarded or _confirmed(spec.get("advance") or {}, status, goal):
        return _advanced(spec, status, goal, time)
    if status["state"] == "Active":
        return _step(
            status,
            time,
            "WaitingForConfirmation",
            state="WaitingForInput",
            waitingFor=f"confirmation: {status['phase']} → {goal}",
        )
    return None


def _confirmed(advance: Object, status: Object, goal: str) -> bool:
    asked = (advance.get("to"), advance.get("expectedVersion"), advance.get("confirmed"))
    return asked == (goal, status["version"], True)


def _advanced(spec: Object, status: Object, goal: str, time: str) -> Object:
    outcome = {"to": goal, "expectedVersion": status["version"], "outcome": "Success", "message": f"Moved to {goal}"}
    if goal == COMPLETED:
        return _step(status, time, "Confirmed", state="Completing", advance=outcome, waitingFor=None)
    moved = {**status, "phase": goal}
    waits = spec.get("phaseGuard", False) and _ready(moved, goal)
    return _step(
        status,
        time,
        "Confirmed",
        phase=goal,
        state="WaitingForInput" if waits else "Active",
        waitingFor=f"confirmation: {goal} → {_goal(moved)}" if waits else None,
        advance=outcome,
        lastActivityTime=time,
    )


def _goal(status: Object) -> str:
    names = [phase["name"] for phase in status["phases"]]
    following = names.index(status["phase"]) + 1
    return names[following] if following < len(names) else COMPLETED


def _ready(status: Object, name: str) -> bool:
    phase = next(phase for phase in status["phases"] if phase["name"] == name)
    gate = phase.get("gate")
    if gate is None or not gate.get("autoAdvance"):
        return False
    done = {item["id"] for item in status.get("deliverables") or () if item["phase"] == name}
    return all(item["id"] in done for item in phase.get("deliverables") or ())


def _step(status: Object, time: str, reason: str, **changes: Any) -> Object:
    """One version further, with its entry in the outbox; a change to None takes the field away."""
    after = {**status, **changes, "version": status["version"] + 1}
    names = [phase["name"] for phase in status["phases"]]
    after["phaseProgress"] = f"{names.index(after['phase']) + 1}/{len(names)}"
    if after["state"] != status["state"]:
        after["stateChangedTime"] = time
    if after["phase"] != status["phase"]:
        after["phaseStartTime"] = time
    entry = {
        "version": after["version"],
        "time": time,
        "reason": reason,
        "fromState": status["state"],
        "toState": after["state"],
        "fromPhase": status["phase"],
        "toPhase": after["phase"],
    }
    after["transitions"] = [*status["transitions"], entry]
    return after


def without_nulls(status: Object) -> Object:
    """For a PUT: what was taken away is left out. (A merge patch needs the nulls.)"""
    return {key: value for key, value in status.items() if value is not None}
