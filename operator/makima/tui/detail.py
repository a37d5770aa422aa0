"""What the detail of a contract says, section by section, as text: from values, so that tables can test it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from makima.domain.reads.wait import Kind
from makima.domain.supervision.heartbeat_times import heartbeat_times
from makima.models.contract import Contract
from makima.models.contract_status import CompletedDeliverable, ContractStatus, TaskStatus
from makima.models.enums import Priority
from makima.models.gate import Deliverable, Phase
from makima.models.supervisor import Supervisor
from makima.tui.ages import age, ago
from makima.tui.appearance import (
    GREEN,
    GREY,
    ORANGE,
    RESTORATIONS,
    SKY,
    SUPERVISOR_STATES,
    TASK_STATES,
    VERMILION,
    WHITE,
    progress_bar,
    state_look,
    step_bar,
)
from makima.tui.caller import Caller
from makima.tui.rows import Row
from makima.tui.waits import Wait

NAME = 36
"""Characters of a name that leave room for the rest of the headline in 80 columns."""

TASKS_SHOWN = 12
DIGEST_SHOWN = 19
"""Characters of a digest: `sha256:` and twelve of its own."""


def headline(contract: Contract, row: Row, now: datetime) -> Text:
    """Name, state, phase, version, age: one line, or two where the name is long."""
    look = state_look(row.state)
    text = Text()
    name = f"{row.namespace}/{row.name}"
    text.append(name + ("  " if len(name) <= NAME else "\n"), style=f"bold {WHITE}")
    text.append(look.text, style=f"bold {look.colour}")
    if row.stale:
        text.append("  ! stale", style=f"bold {VERMILION}")
    if contract.status is not None:
        text.append(f"  {step_bar(row.step, row.steps, row.done)} {row.step}/{row.steps} {row.phase}", style=WHITE)
        text.append(f"  version {contract.status.version}", style=GREY)
    text.append(f"  {row.type}  age {age(row.created, now)}", style=GREY)
    return text


def waiting(waits: Sequence[Wait], now: datetime, caller: Caller) -> Text:
    """What it waits for, since when, and what to press; what only a person ends first, in full."""
    text = Text()
    mine = [wait for wait in waits if wait.reason.person]
    for wait in mine:
        text.append(f"◆ Waits for {wait.text}", style=f"bold {ORANGE}")
        text.append(_since(wait, now) + "\n", style=GREY)
        if wait.question is not None and wait.question.options:
            text.append("  ".join(f"{i}) {o}" for i, o in enumerate(wait.question.options, 1)) + "\n", style=SKY)
        if wait.deed.value:
            text.append(f"{wait.deed}   ", style=f"bold {SKY}")
        if command := wait.command(caller):
            text.append(f"{'or: ' if wait.deed.value else ''}{command}", style=GREY)
        text.append("\n")
    for wait in [wait for wait in waits if wait not in mine and wait.reason.kind is not Kind.NOTHING][:2]:
        text.append(f"· waits for {wait.text}", style=WHITE)
        text.append(_since(wait, now) + "\n", style=GREY)
    return _trimmed(text)


def _since(wait: Wait, now: datetime) -> str:
    return f"  for {ago(wait.reason.since, now).removesuffix(' ago')}" if wait.reason.since is not None else ""


def phases(contract: Contract, now: datetime) -> Text:
    """Phases with their deliverables and the counts of their tasks; what is behind is folded into a line each."""
    status, text = contract.status, Text()
    if status is None:
        return Text("not accepted yet", style=GREY)
    names = [phase.name for phase in status.phases]
    here = names.index(status.phase)
    over = status.state.value in ("Completed", "Archived")
    for number, phase in enumerate(status.phases):
        behind = number < here or over
        current = number == here and not over
        symbol, colour = ("✓", GREEN) if behind else ("►", SKY) if current else ("·", GREY)
        text.append(f"{symbol} {number + 1} {phase.name}", style=f"bold {colour}" if current else colour)
        text.append(_phase_note(status, phase, current, now), style=GREY)
        text.append("\n")
        for item in phase.deliverables:
            text.append_text(_deliverable(status, phase, item, now))
    return _trimmed(text)


def _phase_note(status: ContractStatus, phase: Phase, current: bool, now: datetime) -> str:
    tasks = [task for task in status.tasks if task.phase == phase.name]
    counts = [count for count in status.task_counts if count.phase == phase.name]
    done = sum(task.state.value == "Completed" for task in tasks) + sum(item.completed for item in counts)
    failed = sum(task.state.value == "Failed" for task in tasks) + sum(item.failed for item in counts)
    notes = [f"{done} task{'s' if done > 1 else ''} done"] if done else []
    notes += [f"{failed} failed"] if failed else []
    notes += [f"for {ago(status.phase_start_time, now).removesuffix(' ago')}"] if current else []
    notes += ["moves by hand only"] if current and phase.gate is None else []
    return "  " + ", ".join(notes) if notes else ""


def _deliverable(status: ContractStatus, phase: Phase, item: Deliverable, now: datetime) -> Text:
    there = next((d for d in status.deliverables if (d.phase, d.id) == (phase.name, item.id)), None)
    text = Text("   ")
    if there is None:
        required = item.priority is Priority.REQUIRED
        text.append(f"{'○' if required else '·'} {item.name or item.id}", style=WHITE if required else GREY)
        text.append(f"  {item.priority.value.lower()}, not there\n", style=GREY)
        return text
    text.append(f"✓ {item.name or item.id}", style=GREEN)
    text.append(f"  {proof(there)}  {age(there.completed_time, now)} ago\n", style=GREY)
    return text


def proof(there: CompletedDeliverable) -> str:
    """What shows which content it was: its digest, else where it is, else who said so."""
    if there.digest:
        return there.digest[:DIGEST_SHOWN]
    return there.uri or (f"by {there.completed_by}" if there.completed_by else "no digest")


def tasks(contract: Contract, now: datetime) -> Text:
    """Tasks of the current phase, running ones first."""
    status = contract.status
    listed = sorted(status.tasks, key=_task_rank) if status is not None else []
    text = Text()
    for task in listed[:TASKS_SHOWN]:
        look = TASK_STATES[task.state]
        text.append(f"{look.text:<11}", style=look.colour)
        text.append(f" {task.name}", style=WHITE)
        moment = task.completion_time or task.start_time
        text.append(f"  {task.phase}, {age(moment, now)}" + (f"  {task.message}" if task.message else ""), style=GREY)
        text.append("\n")
    if len(listed) > TASKS_SHOWN:
        text.append(f"and {len(listed) - TASKS_SHOWN} more\n", style=GREY)
    return _trimmed(text)


def _task_rank(task: TaskStatus) -> tuple[int, str]:
    order = {"Running": 0, "Failed": 1, "Pending": 2, "Completed": 3}
    return order[task.state.value], task.name


def supervision(supervisor: Supervisor | None, row: Row, now: datetime, *, carried: bool = False) -> Text:
    """The supervisor, its pod, what it does, how it is. `carried`: the contract says that it has one."""
    if supervisor is None and carried:
        return Text("not to be seen: you may not list supervisors here, or it was deleted just now", style=GREY)
    if supervisor is None or supervisor.status is None:
        return Text("none: an external supervisor registers itself (makima supervise)", style=GREY)
    told, text = supervisor.status, Text()
    look = SUPERVISOR_STATES[row.supervisor] if row.supervisor is not None else None
    text.append(look.text if look else "– not registered", style=f"bold {look.colour}" if look else GREY)
    text.append(f"  life {told.incarnation or 0}", style=GREY)
    text.append(f" → pod {told.pod_name}\n" if told.pod_name else " → no pod\n", style=GREY)
    if row.activity:
        text.append(f"{row.activity}\n", style=WHITE)
    if row.progress is not None:
        text.append(f"{progress_bar(row.progress)} {row.progress}% of {told.phase or row.phase}\n", style=SKY)
    text.append_text(_pulse(supervisor, row, now))
    budget = supervisor.spec.restart.max_restarts
    text.append(f"restarts {row.restarts} of {budget}", style=VERMILION if row.restarts else GREY)
    if told.pending_tasks:
        text.append(f", waits for {told.pending_tasks} tasks", style=GREY)
    text.append("\n")
    if told.restoration is not None:
        text.append(f"last restoration: {RESTORATIONS[told.restoration.outcome]}, ", style=GREY)
        text.append(f"{ago(told.restoration.time, now)}\n", style=GREY)
    if told.error_message:
        text.append(f"✗ {told.error_message}\n", style=VERMILION)
    return _trimmed(text)


def _pulse(supervisor: Supervisor, row: Row, now: datetime) -> Text:
    every = heartbeat_times(supervisor.spec).period_seconds
    if row.heartbeat is None:
        return Text("no heartbeat yet\n", style=GREY)
    if row.overdue(now):
        return Text(f"! heartbeat overdue: the last {ago(row.heartbeat, now)}\n", style=f"bold {VERMILION}")
    return Text(f"♥ heartbeat {ago(row.heartbeat, now)}, one every {every}s\n", style=GREY)


def _trimmed(text: Text) -> Text:
    text.rstrip()
    return text
