"""A supervisor in its contract's tree: its state and life, and its pod with what keeps that from running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from makima.domain.durations import format_duration
from makima.domain.reads.tree_lines import Mark, Node
from makima.models.enums import SupervisorState
from makima.models.supervisor import Supervisor, SupervisorStatus

SUPERVISOR_MARKS = {
    SupervisorState.FAILED: Mark.FAILED,
    SupervisorState.INTERRUPTED: Mark.FAILED,
    SupervisorState.BLOCKED: Mark.FAILED,
    SupervisorState.WAITING_FOR_USER: Mark.ASKS,
    SupervisorState.COMPLETED: Mark.DONE,
}


def supervisor_node(supervisor: Supervisor, pod: Mapping[str, Any] | None, now: datetime, *, verbose: bool) -> Node:
    """The supervisor in its contract's tree.

    Args:
        pod: of the current life, as the API server has it.
        verbose: with conditions, and how it was restored.
    """
    status = supervisor.status
    if status is None:
        return Node("supervisor: not registered", Mark.OPEN)
    if status.state is None:
        return Node(f"supervisor: not registered, life {status.incarnation or 0}", Mark.OPEN, tuple(_pod(status, pod)))
    parts = [f"supervisor {status.state}", f"life {status.incarnation or 0}", *_life(status, now)]
    if status.restarts:
        parts.append(f"{status.restarts} restarts of {supervisor.spec.restart.max_restarts}")
    below = _pod(status, pod)
    if status.error_message:
        below.append(Node(f"error: {status.error_message}", Mark.FAILED))
    if verbose:
        below += [Node(f"{item.type} {item.status}, {item.reason}: {item.message}") for item in status.conditions]
        if status.restoration is not None:
            back = status.restoration
            below.append(Node(f"restored {format_duration(now - back.time)} ago, {back.outcome}: {back.message or ''}"))
    return Node(", ".join(parts), SUPERVISOR_MARKS.get(status.state, Mark.CURRENT), tuple(below))


def _life(status: SupervisorStatus, now: datetime) -> Iterator[str]:
    if status.current_activity:
        progress = f" ({status.progress} %)" if status.progress is not None else ""
        yield f"{status.current_activity}{progress}"
    if status.last_heartbeat_time is not None:
        yield f"heartbeat {format_duration(now - status.last_heartbeat_time)} ago"


def _pod(status: SupervisorStatus, pod: Mapping[str, Any] | None) -> list[Node]:
    if status.pod_name is None:
        return []
    if pod is None:
        return [Node(f"pod {status.pod_name}")]
    told = pod.get("status") or {}
    node = (pod.get("spec") or {}).get("nodeName")
    where = f" on {node}" if node else ""
    phase, trouble = str(told.get("phase", "")), _trouble(told)
    mark = Mark.FAILED if trouble else POD_MARKS.get(phase, Mark.OPEN)
    return [Node(f"pod {status.pod_name} {phase}{where}{f': {trouble}' if trouble else ''}", mark)]


POD_MARKS = {"Failed": Mark.FAILED, "Running": Mark.CURRENT, "Succeeded": Mark.DONE}
STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Why a container waits that merely has not begun yet."""


def _trouble(told: Mapping[str, Any]) -> str:
    """Why it does not run, as the scheduler or the kubelet says; "" where nothing is wrong."""
    for item in told.get("conditions") or ():
        if item.get("type") == "PodScheduled" and item.get("status") == "False":
            return _said(item)
    for item in [*(told.get("initContainerStatuses") or ()), *(told.get("containerStatuses") or ())]:
        state = item.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason") and waiting["reason"] not in STARTING:
            return _said(waiting)
        if ended.get("exitCode"):
            return f"{_said(ended)}, exit code {ended['exitCode']}"
    return ""


def _said(item: Mapping[str, Any]) -> str:
    reason, message = str(item.get("reason") or ""), str(item.get("message") or "")
    return f"{reason} ({message})" if message else reason
