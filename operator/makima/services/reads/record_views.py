"""Tasks, questions and events as REST shows them: each as Postgres has it."""

from __future__ import annotations

from makima.domain.monitor.frames import shown_payload
from makima.models.history import StoredEvent
from makima.models.supervision import StoredQuestion, StoredTask
from makima.models.wire.contracts import QuestionView
from makima.models.wire.history import HistoryEntry
from makima.models.wire.work import TaskReport


def task_view(task: StoredTask) -> TaskReport:
    """A task, as Postgres has it."""
    return TaskReport(
        id=task.id,
        name=task.name,
        phase=task.phase,
        state=task.state.snake,
        template=task.template,
        message=task.message,
        created_at=task.created_at,
        completed_at=task.completed_at,
    )


def question_view(question: StoredQuestion) -> QuestionView:
    """A question, as Postgres has it."""
    return QuestionView(
        id=question.id,
        text=question.text,
        options=question.options,
        asked_at=question.asked_at,
        answer=question.answer,
        answered_at=question.answered_at,
        phase=question.phase,
        open=question.answer is None,
    )


def event_view(stored: StoredEvent, *, enhanced: bool) -> HistoryEntry:
    """An event of the history.

    Args:
        enhanced: False = its statuses are the three old ones (flag `enhanced_contract_status`).
    """
    event = stored.event
    return HistoryEntry(
        seq=stored.seq,
        id=event.id,
        type=event.type,
        at=event.at,
        contract_id=event.contract_id,
        namespace=event.namespace,
        name=event.contract_name,
        version=event.version,
        actor=event.actor,
        payload=shown_payload(event, enhanced=enhanced),
    )
