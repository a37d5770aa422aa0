"""What supervisors tell, as values, and decisions about it."""

from __future__ import annotations

from typing import Any

from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.lifecycle import decide
from makima.domain.supervisor_calls.told import (
    AskAdvance,
    AskQuestion,
    Caller,
    CompleteDeliverable,
    EndTask,
    Outcome,
    RefusedReport,
    Report,
    SpawnTask,
)
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from tests.support.builders import (
    SUPERVISOR_UID,
    a_phase,
    a_supervisor,
    active,
    an_id,
    around,
    at,
    status_of,
    written,
)

BY = Caller("work", SUPERVISOR_UID, 3)
NOW = 50.0


def spawn(number: int, by: Caller = BY, **fields: Any) -> SpawnTask:
    return SpawnTask(by, an_id(number), fields.pop("name", "build"), fields.pop("phase", "plan"), at(NOW), **fields)


def end(number: int, *, failed: bool = False, seconds: float = NOW) -> EndTask:
    return EndTask(BY, an_id(number), failed, at(seconds), "done")


def ask(number: int, text: str = "Which?", *options: str) -> AskQuestion:
    return AskQuestion(BY, an_id(number), text, "plan", at(NOW), options)


def deliver(phase: str, identifier: str, by: Caller = BY) -> CompleteDeliverable:
    return CompleteDeliverable(by, phase, identifier, "git://it", f"sha256:{'a' * 64}")


def move(to: str, version: int, by: Caller = BY) -> AskAdvance:
    return AskAdvance(by, to, version, "it is done")


def tell(contract: Contract, *reports: Report, **fields: Any) -> Decision:
    """One decision, whose write the API server must take."""
    fields.setdefault("recorded_version", status_of(contract).version)
    seen = around(fields.pop("seconds", NOW), supervisor=a_supervisor(incarnation=3), reports=reports, **fields)
    decision = decide(contract, seen)
    if decision.status is not None:
        written(contract, decision, seen)
    assert len(decision.told) == len(reports)
    return decision


def outcome(decision: Decision) -> Outcome:
    (only,) = decision.told
    return only


def new_status(decision: Decision) -> ContractStatus:
    assert decision.status is not None
    return decision.status


def by_hand(**spec: Any) -> Contract:
    return active(a_phase("plan", "a"), a_phase("execute", "b"), **spec)


def refused(decision: Decision) -> RefusedReport:
    found = outcome(decision)
    assert isinstance(found, RefusedReport)
    assert decision.status is None or not decision.status.tasks
    return found
