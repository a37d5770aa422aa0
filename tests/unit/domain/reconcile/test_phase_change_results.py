"""Every result of asking for a phase change, decided from a status, a request and the gate's readiness."""

from __future__ import annotations

from typing import Any

import pytest

from makima.domain.reconcile.gates import NoGate, NotReady, Readiness, Ready, Undecided
from makima.domain.reconcile.phase_change import (
    AskValidator,
    NotFound,
    PhaseChange,
    RequiresConfirmation,
    Success,
    Unauthorized,
    ValidationFailed,
    VersionConflict,
    decide_phase_change,
)
from makima.domain.reconcile.validation import Question
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import CompletedDeliverable, ContractStatus
from makima.models.enums import ContractState
from tests.support.builders import START, a_phase, a_status, a_validator, two_phases

UNDECIDED = Undecided(Question("print", "plan", a_validator()))
MISSING = NotReady(("Deliverable: plan-document", "1 tasks incomplete"))


def ask(
    status: ContractStatus | None = None,
    readiness: Readiness | None = None,
    *,
    to: str = "execute",
    version: int = 3,
    guarded: bool = False,
    may_confirm: bool | None = None,
    **fields: Any,
) -> PhaseChange:
    status = a_status() if status is None else status
    request = AdvanceRequest(to=to, expected_version=version, **fields)
    return decide_phase_change(
        status, request, guarded=guarded, readiness=readiness or Ready(), may_confirm=may_confirm
    )


def test_a_ready_phase_is_left() -> None:
    assert ask() == Success("execute", forced=False)


def test_a_phase_without_a_gate_is_left_by_hand() -> None:
    assert ask(readiness=NoGate()) == Success("execute", forced=False)


def test_what_is_missing_is_said_in_the_words_of_phase_readiness() -> None:
    assert ask(readiness=MISSING) == ValidationFailed("the gate is not ready", MISSING.missing)


@pytest.mark.parametrize("readiness", [MISSING, UNDECIDED])
def test_force_moves_past_the_gate_and_says_so(readiness: Readiness) -> None:
    assert ask(readiness=readiness, force=True) == Success("execute", forced=True)


@pytest.mark.parametrize("readiness", [Ready(), NoGate()])
def test_force_that_was_not_needed_is_not_called_forced(readiness: Readiness) -> None:
    assert ask(readiness=readiness, force=True) == Success("execute", forced=False)


def test_an_undecided_gate_asks_its_validator() -> None:
    assert ask(readiness=UNDECIDED) == AskValidator(UNDECIDED)


@pytest.mark.parametrize("version", [1, 2, 4, 100])
@pytest.mark.parametrize("fields", [{}, {"confirmed": True}, {"force": True}])
def test_another_version_conflicts_whatever_else_is_asked(version: int, fields: dict[str, bool]) -> None:
    assert ask(version=version, **fields) == VersionConflict(version, 3, "plan")


def test_nothing_is_found_where_there_is_no_contract() -> None:
    request = AdvanceRequest(to="execute", expected_version=1)
    assert decide_phase_change(None, request, guarded=False, readiness=Ready()) == NotFound()


def test_a_guarded_move_needs_a_confirmation_and_shows_the_deliverables() -> None:
    done = CompletedDeliverable(phase="plan", id="notes", completed_time=START)
    status = a_status(a_phase("plan", "notes", "sketch"), a_phase("execute"), deliverables=(done,))
    assert ask(status, guarded=True) == RequiresConfirmation(("notes (complete)", "sketch (open)"))


def test_force_never_skips_the_guard() -> None:
    assert isinstance(ask(readiness=MISSING, guarded=True, force=True), RequiresConfirmation)


def test_a_confirmed_move_passes_the_guard_but_not_the_gate() -> None:
    assert ask(guarded=True, confirmed=True) == Success("execute", forced=False)
    assert isinstance(ask(readiness=MISSING, guarded=True, confirmed=True), ValidationFailed)
    assert ask(readiness=MISSING, guarded=True, confirmed=True, force=True) == Success("execute", forced=True)


def test_confirming_needs_the_verb_even_where_no_guard_is() -> None:
    assert ask(guarded=True, confirmed=True, may_confirm=False) == Unauthorized("confirm")
    assert ask(guarded=False, confirmed=True, may_confirm=False) == Unauthorized("confirm")
    assert ask(guarded=True, confirmed=True, may_confirm=True) == Success("execute", forced=False)


def test_who_does_not_confirm_needs_no_verb() -> None:
    assert ask(may_confirm=False) == Success("execute", forced=False)
    assert isinstance(ask(guarded=True, may_confirm=False), RequiresConfirmation)


@pytest.mark.parametrize("to", ["plan", "review", "Completed", "execute-2"])
@pytest.mark.parametrize("fields", [{}, {"force": True}, {"confirmed": True, "force": True}])
def test_only_the_next_phase_can_be_asked_for(to: str, fields: dict[str, bool]) -> None:
    change = ask(to=to, **fields)
    assert change == ValidationFailed(f"from plan the contract moves to execute, not to {to}")


def test_the_last_phase_is_left_to_completed() -> None:
    last = a_status(*two_phases(), phase="execute")
    assert ask(last, to="Completed") == Success("Completed", forced=False)
    assert isinstance(ask(last, to="plan"), ValidationFailed)


@pytest.mark.parametrize("state", list(ContractState))
def test_a_phase_moves_only_where_work_is_under_way_or_about_to_be(state: ContractState) -> None:
    may = state.value in ("Created", "Active", "WaitingForInput", "Blocked")
    change = ask(a_status(state=state), force=True)
    assert change == (
        Success("execute", forced=False)
        if may
        else ValidationFailed(f"the contract is {state}; only one that is under way can advance")
    )


@pytest.mark.parametrize("state", list(ContractState))
def test_completion_by_hand_begins_only_where_the_table_allows_it(state: ContractState) -> None:
    status = a_status(*two_phases(), phase="execute", state=state)
    may = state.value in ("Active", "WaitingForInput")
    assert isinstance(ask(status, to="Completed", force=True), Success) is may
