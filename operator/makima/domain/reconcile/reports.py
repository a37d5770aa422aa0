"""Steps that take in what was reported: deliverables, answers, the supervisor. They count in any state but Archived."""

from __future__ import annotations

from dataclasses import replace

from makima.domain.reasons import TransitionReason
from makima.domain.reconcile.activity import with_activity
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.field_owners import deliverable_owners
from makima.models.bounds import DELIVERABLES_PER_TRANSITION
from makima.models.contract import Contract
from makima.models.contract_spec import Answer, ReportedDeliverable
from makima.models.contract_status import CompletedDeliverable, DeliverableKey, Question, SupervisorReference
from makima.models.enums import ContractState
from makima.models.gate import Phase
from makima.models.supervisor import Supervisor


def validate_deliverable(phases: tuple[Phase, ...], phase: str, deliverable_id: str) -> str | None:
    """What is wrong with reporting this deliverable, or None (plan 1.1)."""
    found = next((item for item in phases if item.name == phase), None)
    if found is None:
        return f"there is no phase {phase}; the phases are {', '.join(item.name for item in phases)}"
    if found.deliverable(deliverable_id) is None:
        known = ", ".join(item.id for item in found.deliverables) or "none"
        return f"phase {phase} has no deliverable {deliverable_id}; it has {known}"
    return None


def invalid_deliverables(draft: Draft) -> tuple[str, ...]:
    """Reported deliverables that no phase has: possible only before acceptance, when no policy knows the phases."""
    wrong = (validate_deliverable(draft.status.phases, item.phase, item.id) for item in draft.spec.deliverables)
    return tuple(problem for problem in wrong if problem is not None)


def take_deliverables(draft: Draft) -> Draft:
    """Record reported deliverables, a bounded number per version; the rest follows in the next."""
    if draft.status.state is ContractState.ARCHIVED:
        return draft
    fresh = _unrecorded(draft)[: DELIVERABLES_PER_TRANSITION - len(draft.recorded)]
    if not fresh:
        return draft
    owners = deliverable_owners(draft.contract.metadata.managed_fields)
    done = tuple(_completed(draft, item, owners.get((item.phase, item.id))) for item in fresh)
    keys = tuple(DeliverableKey(phase=item.phase, id=item.id) for item in fresh)
    names = ", ".join(f"{item.phase}/{item.id}" for item in fresh)
    draft = draft.update(deliverables=(*draft.status.deliverables, *done))
    draft = replace(draft, recorded=(*draft.recorded, *keys), status=with_activity(draft.status, draft.now))
    return draft.because(TransitionReason.DELIVERABLE_COMPLETED, f"Completed {names}", actor=done[0].completed_by)


def _unrecorded(draft: Draft) -> list[ReportedDeliverable]:
    there = {(item.phase, item.id) for item in draft.status.deliverables}
    return [
        item
        for item in draft.spec.deliverables
        if (item.phase, item.id) not in there and validate_deliverable(draft.status.phases, item.phase, item.id) is None
    ]


def _completed(draft: Draft, item: ReportedDeliverable, owner: str | None) -> CompletedDeliverable:
    return CompletedDeliverable(
        phase=item.phase,
        id=item.id,
        completed_time=draft.now,
        completed_by=owner,
        uri=item.uri,
        digest=item.digest,
    )


def open_answers(contract: Contract) -> tuple[tuple[Question, Answer], ...]:
    """Answers to questions that are still open in the status: what Postgres has to have before they are closed."""
    questions = {item.id: item for item in contract.status.questions} if contract.status is not None else {}
    pairs = ((questions.get(item.question_id), item) for item in contract.spec.answers)
    return tuple((question, answer) for question, answer in pairs if question is not None)


def take_answers(draft: Draft) -> Draft:
    """Close the questions that somebody answered, once Postgres has the answer: else nobody would hear of it."""
    recorded = draft.around.recorded_answers
    answered = {item.question_id for item in draft.spec.answers if recorded is None or item.question_id in recorded}
    left = tuple(item for item in draft.status.questions if item.id not in answered)
    if len(left) == len(draft.status.questions):
        return draft
    draft = draft.update(questions=left)
    return replace(draft, status=with_activity(draft.status, draft.now))


def registered(supervisor: Supervisor | None) -> bool:
    """Whether the supervisor is there: an external one by its Supervisor resource, a pod by its first life."""
    if supervisor is None or supervisor.metadata.deleting:
        return False
    lives = supervisor.status.incarnation if supervisor.status is not None else None
    return supervisor.spec.template is None or (lives or 0) >= 1


def follow_supervisor(draft: Draft) -> Draft:
    """Point supervisorRef at the supervisor that carries the contract."""
    supervisor = draft.around.supervisor
    if supervisor is None or not registered(supervisor) or not draft.around.settings.supervisor_heartbeat:
        return draft
    status, before = supervisor.status, draft.status.supervisor_ref
    # The API service may have heard a newer life already; a fence is never lowered.
    reference = SupervisorReference(
        name=supervisor.metadata.name,
        uid=supervisor.metadata.uid,
        incarnation=max((status.incarnation if status else None) or 0, before.incarnation if before else 0),
        restarts=(status.restarts if status else None) or 0,
    )
    if reference == before:
        return draft
    draft = draft.update(supervisor_ref=reference)
    return replace(draft, status=with_activity(draft.status, draft.now))
