"""A contract as a tree of lines: contract → phases → deliverables, tasks, questions; supervisor → pod. Values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from makima.domain.durations import format_duration
from makima.domain.reads.supervisor_tree import supervisor_node
from makima.domain.reads.tree_lines import Mark, Node
from makima.models.contract import Contract
from makima.models.contract_status import CompletedDeliverable, ContractStatus, Question, TaskStatus
from makima.models.enums import ContractState, Priority, TaskState
from makima.models.gate import Deliverable, Phase
from makima.models.supervisor import Supervisor


def tree_of(
    contract: Contract,
    supervisor: Supervisor | None,
    pod: Mapping[str, Any] | None,
    now: datetime,
    *,
    verbose: bool = False,
) -> Node:
    """The contract's tree.

    Args:
        pod: of the current life, as the API server has it.
        verbose: with digests, addresses, conditions, and what happened last.
    """
    status, meta = contract.status, contract.metadata
    if status is None:
        return Node(f"{meta.namespace}/{meta.name}  {contract.spec.type}  not accepted")
    head = f"{meta.namespace}/{meta.name}  {contract.spec.type}  {status.state}  version {status.version}"
    below = [_phase(phase, status, contract, now, verbose=verbose) for phase in status.phases]
    below += [supervisor_node(supervisor, pod, now, verbose=verbose)] if supervisor is not None else []
    below += list(_details(status, now)) if verbose else []
    return Node(head, _state_mark(status.state), tuple(below))


def _state_mark(state: ContractState) -> Mark:
    match state:
        case ContractState.FAILED | ContractState.BLOCKED:
            return Mark.FAILED
        case ContractState.WAITING_FOR_INPUT | ContractState.PAUSED:
            return Mark.ASKS
        case ContractState.COMPLETED | ContractState.ARCHIVED:
            return Mark.DONE
        case _:
            return Mark.CURRENT


def _phase(phase: Phase, status: ContractStatus, contract: Contract, now: datetime, *, verbose: bool) -> Node:
    names = [item.name for item in status.phases]
    here, current = names.index(phase.name), names.index(status.phase)
    mark = _phase_mark(here - current, status)
    complete = {item.id: item for item in status.deliverables if item.phase == phase.name}
    below = [_deliverable(item, complete.get(item.id), now, verbose=verbose) for item in phase.deliverables]
    below += _tasks(phase.name, status, now)
    below += [_question(question, contract, now) for question in status.questions if question.phase == phase.name]
    began = status.phase_start_time if mark is Mark.CURRENT else None
    since = f"  for {format_duration(now - began)}" if began is not None else ""
    return Node(f"{phase.name}{since}", mark, tuple(below))


def _phase_mark(place: int, status: ContractStatus) -> Mark:
    """What became of a phase so many places after (before: negative) the one that the contract is or was last in."""
    archived, finished = status.state is ContractState.ARCHIVED, status.state is ContractState.COMPLETED
    succeeded = finished or (archived and status.finished_time is not None and status.failure_reason is None)
    if place < 0 or succeeded or (place == 0 and status.state is ContractState.COMPLETING):
        return Mark.DONE
    if place > 0:
        return Mark.OPEN
    failed = status.state is ContractState.FAILED or status.failure_reason is not None
    return Mark.FAILED if failed else Mark.OPEN if archived else Mark.CURRENT


def _deliverable(item: Deliverable, there: CompletedDeliverable | None, now: datetime, *, verbose: bool) -> Node:
    name = item.id if item.name in (None, item.id) else f"{item.id} ({item.name})"
    weight = "" if item.priority is Priority.REQUIRED else f", {item.priority.snake}"
    if there is None:
        return Node(f"deliverable {name}{weight}", Mark.OPEN)
    by = f" by {there.completed_by}" if there.completed_by else ""
    text = f"deliverable {name}{weight}, {format_duration(now - there.completed_time)} ago{by}"
    more = [Node(value) for value in (there.uri, there.digest) if value] if verbose else []
    return Node(text, Mark.DONE, tuple(more))


def _tasks(phase: str, status: ContractStatus, now: datetime) -> list[Node]:
    below = [_task(task, now) for task in status.tasks if task.phase == phase]
    for count in status.task_counts:
        if count.phase == phase:
            failed = f", {count.failed} failed" if count.failed else ""
            below.append(
                Node(f"{count.completed} more tasks completed{failed}", Mark.FAILED if count.failed else Mark.DONE)
            )
    return below


TASK_MARKS = {TaskState.COMPLETED: Mark.DONE, TaskState.FAILED: Mark.FAILED, TaskState.RUNNING: Mark.CURRENT}


def _task(task: TaskStatus, now: datetime) -> Node:
    began = f", {format_duration(now - task.start_time)} ago" if task.start_time is not None else ""
    said = f": {task.message}" if task.message else ""
    return Node(f"task {task.name} {task.state.snake}{began}{said}", TASK_MARKS.get(task.state, Mark.OPEN))


def _question(question: Question, contract: Contract, now: datetime) -> Node:
    answered = any(answer.question_id == question.id for answer in contract.spec.answers)
    text = f"question {question.id}, {format_duration(now - question.asked_time)} ago: {question.question}"
    options = tuple(Node(f"- {option}") for option in question.options)
    return Node(f"{text} (answered)" if answered else text, Mark.DONE if answered else Mark.ASKS, options)


def _details(status: ContractStatus, now: datetime) -> Iterator[Node]:
    conditions = [Node(f"{item.type} {item.status}, {item.reason}: {item.message}") for item in status.conditions]
    if conditions:
        yield Node("conditions", children=tuple(conditions))
    lines = tuple(
        Node(f"version {item.version}, {format_duration(now - item.time)} ago: {item.message or item.reason}")
        for item in reversed(status.transitions[-LAST:])
    )
    if lines:
        yield Node("last changes", children=lines)
    if status.workspace is not None:
        place = status.workspace
        yield Node(f"workspace: {place.worktrees} worktrees, {place.worktrees_removed} removed so far")


LAST = 5
"""Changes that are shown; all of them are in the history."""
