"""The step that takes in what the API service was told in this call; it comes before all others.

Each report has an outcome, in the same order. What can't be taken leaves the status alone, and stops nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from makima.domain.reasons import TransitionReason
from makima.domain.reconcile.activity import with_activity
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.outbox import is_full
from makima.domain.reconcile.reports import validate_deliverable
from makima.domain.reconcile.states import FINISHED
from makima.domain.reconcile.task_list import ENDED, first_state, with_task
from makima.domain.supervisor_calls.told import (
    AskAdvance,
    AskQuestion,
    Caller,
    CompleteDeliverable,
    EndTask,
    Outcome,
    RefusedReport,
    Report,
    RunTask,
    SpawnTask,
    Superseded,
    Taken,
    WorkspaceCleared,
)
from makima.domain.supervisor_calls.told_advance import take_advance
from makima.models.bounds import DELIVERABLES_PER_TRANSITION, QUESTIONS, TASKS
from makima.models.contract_status import (
    CompletedDeliverable,
    DeliverableKey,
    Question,
    SupervisorReference,
    TaskStatus,
    WorkspaceStatus,
)
from makima.models.enums import ContractState, TaskState
from makima.models.wire.problem import Code

Step = tuple[Draft, Outcome]

LATER = "nothing was stored; make the call again in some seconds"


def take_told(draft: Draft) -> Draft:
    """Take in every report, or say why not."""
    for report in draft.around.reports:
        draft, outcome = _take(draft, report)
        draft = replace(draft, told=(*draft.told, outcome))
    return draft


def _take(draft: Draft, report: Report) -> Step:
    reference = draft.status.supervisor_ref
    if reference is not None and report.by is not None and reference.incarnation > report.by.incarnation:
        return draft, Superseded(reference.incarnation)
    if draft.status.state is ContractState.ARCHIVED and not isinstance(report, WorkspaceCleared):
        return draft, _over(draft)
    taken, outcome = _by_kind(draft, report)
    if taken.status == draft.status or isinstance(report, (RunTask, WorkspaceCleared)):
        return taken, outcome
    taken = _carried_by(taken, report.by) if report.by is not None else taken
    return replace(taken, status=with_activity(taken.status, draft.now)), outcome


def _by_kind(draft: Draft, report: Report) -> Step:  # noqa: PLR0911  # one line per kind
    match report:
        case SpawnTask():
            return _spawn(draft, report)
        case RunTask():
            return _run(draft, report)
        case EndTask():
            return _end(draft, report)
        case WorkspaceCleared():
            return _cleared(draft, report)
        case AskQuestion():
            return _ask(draft, report)
        case CompleteDeliverable():
            return _complete(draft, report)
        case AskAdvance():
            return take_advance(draft, report)
        case _:
            assert_never(report)


def _carried_by(draft: Draft, caller: Caller) -> Draft:
    """The write itself says whose life it was: from then on an older one is refused."""
    before = draft.status.supervisor_ref
    if before is not None and before.incarnation == caller.incarnation:
        return draft
    kept = before if before is not None and before.uid == caller.uid else None
    changes = {"name": caller.name, "uid": caller.uid, "incarnation": caller.incarnation}
    reference = kept.model_copy(update=changes) if kept is not None else SupervisorReference.model_validate(changes)
    return draft.update(supervisor_ref=reference)


def _spawn(draft: Draft, report: SpawnTask) -> Step:
    if any(task.id == report.id for task in draft.status.tasks):
        return draft, Taken(duplicate=True)
    if draft.status.state in FINISHED:
        return draft, _over(draft)
    task = TaskStatus(
        id=report.id,
        name=report.name,
        phase=report.phase,
        state=first_state(report.template),
        template=report.template,
        start_time=report.at,
    )
    status = with_task(draft.status, task, draft.now)
    if status is None:
        text = f"{TASKS} tasks are listed, none of which can be folded; a contract has no room for more at a time"
        return draft, RefusedReport(Code.VALIDATION_FAILED, text, "wait for a task to end", {"bound": TASKS})
    return replace(draft, status=status), Taken()


def _run(draft: Draft, report: RunTask) -> Step:
    """Only a task that waits begins to run; its Job is the operator's own doing, so it is no activity."""
    tasks = tuple(
        task.model_copy(update={"state": TaskState.RUNNING})
        if task.id == report.id and task.state is TaskState.PENDING
        else task
        for task in draft.status.tasks
    )
    return draft.update(tasks=tasks), Taken(duplicate=tasks == draft.status.tasks)


def _cleared(draft: Draft, report: WorkspaceCleared) -> Step:
    before = draft.status.workspace
    if not is_new_clearing(before, report.number, report.at):
        return draft, Taken(duplicate=True)
    total = (before.worktrees_removed if before is not None else 0) + report.removed
    after = WorkspaceStatus(
        worktrees=report.left,
        worktrees_removed=total,
        worktrees_failed=report.failed,
        cleared_time=report.at,
        clearings=(before.clearings if before is not None else 0) + 1,
        orphans=report.orphans,
    )
    return draft.update(workspace=after), Taken()


def is_new_clearing(workspace: WorkspaceStatus | None, number: int | None, at: datetime) -> bool:
    """Whether a clearing that ended then is one that the contract was not told of yet."""
    if workspace is None:
        return True
    return workspace.cleared_time < at if number is None else workspace.clearings < number


def _end(draft: Draft, report: EndTask) -> Step:
    """The first end stays. One that is not listed was folded: it is counted already."""
    found = next((task for task in draft.status.tasks if task.id == report.id), None)
    if found is None or found.state in ENDED:
        return draft, Taken(duplicate=True)
    state = TaskState.FAILED if report.failed else TaskState.COMPLETED
    ended = found.model_copy(
        update={"state": state, "completion_time": report.at, "message": report.message[:256] or None}
    )
    return draft.update(tasks=tuple(ended if task is found else task for task in draft.status.tasks)), Taken()


def _ask(draft: Draft, report: AskQuestion) -> Step:
    if any(question.id == report.id for question in draft.status.questions):
        return draft, Taken(duplicate=True)
    if draft.status.state in FINISHED:
        return draft, _over(draft)
    if len(draft.status.questions) >= QUESTIONS:
        text = f"{QUESTIONS} questions are open; a contract asks no more at a time"
        return draft, RefusedReport(Code.VALIDATION_FAILED, text, "wait for an answer", {"bound": QUESTIONS})
    question = Question(
        id=report.id,
        question=report.text,
        type="choice" if report.options else "free-text",
        phase=report.phase,
        asked_time=report.at,
        options=report.options,
    )
    return draft.update(questions=(*draft.status.questions, question)), Taken()


def _complete(draft: Draft, report: CompleteDeliverable) -> Step:
    wrong = validate_deliverable(draft.status.phases, report.phase, report.id)
    if wrong is not None:
        return draft, RefusedReport(Code.INVALID_DELIVERABLE, wrong, "report one that the phase has")
    if any((item.phase, item.id) == (report.phase, report.id) for item in draft.status.deliverables):
        return draft, Taken(duplicate=True)
    if is_full(draft.original, draft.around.recorded_version):
        return draft, RefusedReport(Code.UNAVAILABLE, "Postgres is away and the contract's outbox is full", LATER)
    if len(draft.recorded) >= DELIVERABLES_PER_TRANSITION:
        text = f"{DELIVERABLES_PER_TRANSITION} deliverables were reported at once"
        return draft, RefusedReport(Code.UNAVAILABLE, text, LATER)
    return _recorded(draft, report), Taken()


def _recorded(draft: Draft, report: CompleteDeliverable) -> Draft:
    done = CompletedDeliverable(
        phase=report.phase,
        id=report.id,
        completed_time=draft.now,
        completed_by=report.by.actor,
        uri=report.uri,
        digest=report.digest,
    )
    key = DeliverableKey(phase=report.phase, id=report.id)
    draft = replace(draft.update(deliverables=(*draft.status.deliverables, done)), recorded=(*draft.recorded, key))
    text = f"Completed {report.phase}/{report.id}"
    return draft.because(TransitionReason.DELIVERABLE_COMPLETED, text, actor=report.by.actor)


def _over(draft: Draft) -> RefusedReport:
    state = draft.status.state
    text = f"the contract is {state}; nothing more can be reported about it"
    return RefusedReport(Code.INVALID_TRANSITION, text, "stop", {"state": state.snake})
