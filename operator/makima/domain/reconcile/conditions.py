"""The conditions of a contract: Ready, Progressing, Stale, HistoryRecorded, Succeeded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from makima.domain.reasons import ConditionReason, ConditionType
from makima.domain.reconcile.activity import is_stale, stale_threshold
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.gates import NoGate, NotReady, Ready, Undecided
from makima.domain.reconcile.outbox import is_full, unrecorded
from makima.domain.reconcile.reports import invalid_deliverables
from makima.domain.reconcile.states import may_follow
from makima.domain.supervision.stuck import is_stuck, progressed_at
from makima.models.bounds import TRANSITIONS
from makima.models.condition import Condition
from makima.models.enums import ConditionStatus, ContractState

S = ContractState
T, F, U = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
SHOWN = 5
"""Missing items that a condition names."""

Finding = tuple[ConditionType, ConditionStatus, ConditionReason, str]


def contract_conditions(draft: Draft) -> tuple[Condition, ...]:
    """The conditions that go with the draft's status; times of unchanged ones stay."""
    findings = [_ready(draft), _stuck(draft) or _progressing(draft), _history(draft)]
    if draft.around.settings.monitoring:
        findings.append(_stale(draft))
    succeeded = _succeeded(draft)
    if succeeded is not None:
        findings.append(succeeded)
    return merge(draft.original.conditions, findings, draft.contract.metadata.generation, draft.now)


def merge(
    old: Iterable[Condition], findings: Iterable[Finding], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The findings as conditions; conditions of types not found anew are kept."""
    conditions = {condition.type: condition for condition in old}
    for kind, status, reason, message in findings:
        before = conditions.get(kind)
        same = before is not None and before.status is status
        since = before.last_transition_time if before is not None and same else now
        conditions[kind] = Condition(
            type=kind,
            status=status,
            reason=reason,
            message=message[:1024],
            observed_generation=generation,
            last_transition_time=since,
        )
    return tuple(conditions.values())


def _ready(draft: Draft) -> Finding:
    wrong = invalid_deliverables(draft)
    if wrong:
        text = f"INVALID_DELIVERABLE: {'; '.join(wrong[:3])}; take it out of spec.deliverables"
        return ConditionType.READY, F, ConditionReason.INVALID_DELIVERABLE, text
    if draft.spec.archived and not may_follow(draft.status.state, S.ARCHIVED):
        text = f"INVALID_TRANSITION: {draft.status.state} → Archived; set spec.suspend first, or let it finish"
        return ConditionType.READY, F, ConditionReason.ARCHIVE_REFUSED, text
    return ConditionType.READY, T, ConditionReason.ACCEPTED, "Accepted and driven"


def _stuck(draft: Draft) -> Finding | None:
    if not is_stuck(draft):
        return None
    since = progressed_at(draft.status, draft.around.worked).isoformat(timespec="seconds")
    text = f"Its supervisor is heard, but nothing came of it since {since}; look at it, or restart it"
    return ConditionType.PROGRESSING, F, ConditionReason.PROGRESS_DEADLINE_EXCEEDED, text


def _progressing(draft: Draft) -> Finding:  # noqa: PLR0911  # one line per state
    kind, status = ConditionType.PROGRESSING, draft.status
    match status.state:
        case S.CREATED:
            text = "Waits for its supervisor to register, or for the first report"
            return kind, U, ConditionReason.NOT_STARTED, text
        case S.ACTIVE:
            return kind, T, ConditionReason.IN_PHASE, f"In phase {status.phase}{_held_by(draft)}"
        case S.COMPLETING:
            return kind, T, ConditionReason.FINAL_VALIDATION, "The last gate is checked once more"
        case S.WAITING_FOR_INPUT:
            return kind, F, ConditionReason.WAITING_FOR_INPUT, f"Waits for {status.waiting_for or 'a person'}"
        case S.PAUSED:
            return kind, F, ConditionReason.PAUSED, "Paused by spec.suspend"
        case S.BLOCKED:
            return kind, F, ConditionReason.BLOCKED, status.blocked_reason or "Blocked"
        case S.COMPLETED:
            return kind, F, ConditionReason.COMPLETED, "Completed"
        case S.FAILED:
            return kind, F, ConditionReason.FAILED, status.failure_reason or "Failed"
        case S.ARCHIVED:
            return kind, F, ConditionReason.ARCHIVED, "Archived"
        case _:
            assert_never(status.state)


def _held_by(draft: Draft) -> str:
    """What the gate of the current phase misses, in the plan's words."""
    match draft.readiness():
        case NotReady(missing):
            more = f", and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            return f"; missing: {', '.join(missing[:SHOWN])}{more}"
        case NoGate():
            return "; it has no gate, so spec.advance moves it on"
        case Ready() | Undecided():
            return ""


def _stale(draft: Draft) -> Finding:
    if is_stale(draft.spec, draft.status, draft.around.settings, draft.now):
        limit = stale_threshold(draft.spec, draft.around.settings)
        since = draft.status.last_activity_time.isoformat(timespec="seconds")
        text = f"Nothing has happened since {since}, longer than {limit}; look at its supervisor"
        return ConditionType.STALE, T, ConditionReason.NO_ACTIVITY, text
    return ConditionType.STALE, F, ConditionReason.RECENT_ACTIVITY, "Something happened recently, or need not"


def _history(draft: Draft) -> Finding:
    if is_full(draft.status, draft.around.recorded_version):
        text = (
            f"{len(unrecorded(draft.status, draft.around.recorded_version))} of {TRANSITIONS} versions wait for "
            "Postgres; the contract holds until it is back"
        )
        return ConditionType.HISTORY_RECORDED, F, ConditionReason.OUTBOX_FULL, text
    return ConditionType.HISTORY_RECORDED, T, ConditionReason.RECORDING, "Versions go to Postgres"


def _succeeded(draft: Draft) -> Finding | None:
    kind = ConditionType.SUCCEEDED
    if draft.status.state is S.COMPLETED:
        return kind, T, ConditionReason.COMPLETED, "Every phase is complete"
    if draft.status.state is S.FAILED:
        return kind, F, ConditionReason.FAILED, draft.status.failure_reason or "Failed"
    if draft.original.state is S.FAILED and draft.status.state is S.ACTIVE:
        return kind, U, ConditionReason.RETRIED, "Taken up again"
    return None
