"""Events as lines of text."""

from __future__ import annotations

from typing import Any

from makima.cli.contracts.text import Screen, plain
from makima.cli.times import utc

Frame = dict[str, Any]

CONTROL = frozenset({"Subscribed", "Missed", "Reconnecting"})
"""Frames about the stream itself."""

ROUTINE = frozenset({"Heartbeat", "TaskCompleted", "SupervisorStateChanged"})
IMPORTANT_STATES = frozenset({"failed", "interrupted", "blocked", "waiting_for_user"})

COLORS = {
    "QuestionAsked": "yellow",
    "StaleDetected": "red",
    "StatusChanged": "blue",
    "PhaseChanged": "blue",
    "DeliverableCompleted": "green",
}


def is_important(frame: Frame) -> bool:
    """What `--quiet` lets through: failures among the routine, and everything that is no routine."""
    if frame.get("type") == "TaskCompleted":
        return frame.get("success") is False
    if frame.get("type") == "SupervisorStateChanged":
        return frame.get("new_state") in IMPORTANT_STATES
    return frame.get("type") not in ROUTINE


def event_line(frame: Frame, screen: Screen) -> str:
    """Time, contract, event, and what it says."""
    moment = plain(utc(str(frame.get("at", ""))))
    kind = plain(frame.get("type", ""))
    key = plain(f"{frame.get('namespace', '')}/{frame.get('name', '')}")
    return f"{moment}  {key}  {screen.paint(kind, COLORS.get(kind))}  {plain(says(frame))}".rstrip()


def says(frame: Frame) -> str:  # noqa: PLR0911  # one line per type
    """The event in words."""
    match frame.get("type"):
        case "StatusChanged":
            return _moved(frame.get("old_status"), frame.get("new_status"), frame.get("message") or frame.get("reason"))
        case "PhaseChanged":
            return _moved(frame.get("old_phase"), frame.get("new_phase"), frame.get("message"))
        case "SupervisorStateChanged":
            return _moved(frame.get("old_state"), frame.get("new_state"), None)
        case "Heartbeat":
            return f"{frame.get('state')} {frame.get('progress', 0)}% {frame.get('activity', '')}"
        case "StaleDetected":
            return f"nothing has happened for {_seconds(frame.get('stale_duration'))}"
        case "TaskCompleted":
            return f"{frame.get('task_name')} {'completed' if frame.get('success') else 'failed'}"
        case "DeliverableCompleted":
            return f"{frame.get('phase')}/{frame.get('deliverable_id')}"
        case "QuestionAsked":
            return f"{frame.get('question')} ({frame.get('question_id')})"
        case _:
            return str(frame.get("message") or frame.get("reason") or "")


def control_line(frame: Frame) -> str | None:
    """What people have to know about the stream; None where it is nothing."""
    match frame.get("type"):
        case "Reconnecting":
            return f"note: {frame.get('reason')}; trying again in {frame.get('seconds', 0):g} s"
        case "Missed":
            return f"note: too slow, missed {_missed(frame)}; {frame.get('hint', '')}"
        case _:
            return None


def _missed(frame: Frame) -> str:
    first, beats = frame.get("from_seq"), frame.get("heartbeats")
    events = f"events {first} to {frame.get('to_seq')}" if first is not None else ""
    return " and ".join(part for part in (events, f"{beats} heartbeats" if beats else "") if part) or "events"


def _moved(old: Any, new: Any, why: Any) -> str:
    return (f"{old} → {new}" if old else f"{new}") + (f": {why}" if why else "")


def _seconds(value: Any) -> str:
    from datetime import timedelta

    from makima.domain.durations import format_duration

    return format_duration(timedelta(seconds=float(value))) if isinstance(value, int | float) else "long"
