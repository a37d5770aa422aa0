"""spec.suspend: what a pause stops, what it does not, and how the state is decided anew afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from makima.domain.reconcile.activity import stale_at
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.enums import ContractState, SupervisorState
from makima.models.supervisor import Supervisor
from tests.support.builders import (
    a_question,
    a_supervisor,
    accepted,
    active,
    advancing,
    an_id,
    answering,
    around,
    at,
    condition,
    drive,
    driven,
    failing,
    notices_of,
    reporting,
    status_of,
    wanting,
    with_questions,
    with_status,
    writes_of,
)

BLOCKED = a_supervisor(SupervisorState.BLOCKED, error_message="no quota")
WAITING = a_supervisor(SupervisorState.WAITING_FOR_USER)
WORKING = a_supervisor(SupervisorState.WORKING)


def state_of(contract: Contract) -> str:
    return status_of(contract).state.value


def paused(contract: Contract, seconds: float = 10, supervisor: Supervisor | None = None) -> Contract:
    return driven(wanting(contract, suspend=True), around(seconds, supervisor=supervisor))


def resumed(contract: Contract, seconds: float = 20, supervisor: Supervisor | None = None) -> Contract:
    return driven(wanting(contract, suspend=False), around(seconds, supervisor=supervisor))


STARTS: list[tuple[str, Callable[[], Contract], str]] = [
    ("Created", accepted, "Created"),
    ("Active", active, "Active"),
    ("WaitingForInput", lambda: driven(with_questions(active(), a_question(1)), around(5)), "WaitingForInput"),
    ("Blocked", lambda: driven(active(), around(5, supervisor=BLOCKED)), "Active"),
    (
        "guarded",
        lambda: driven(reporting(active(phase_guard=True), "plan/plan-document"), around(5)),
        "WaitingForInput",
    ),
]


@pytest.mark.parametrize(("case", "make", "after"), STARTS, ids=[case[0] for case in STARTS])
def test_every_running_state_pauses_in_one_write_and_is_decided_anew(
    case: str, make: Callable[[], Contract], after: str
) -> None:
    contract = make()
    before = status_of(contract)
    contract, decisions = drive(wanting(contract, suspend=True, suspend_reason="budget"), around(10))
    status = status_of(contract)
    assert (status.state, status.paused_from, status.version) == (
        ContractState.PAUSED,
        before.state,
        before.version + 1,
    )
    assert (status.waiting_for, status.state_changed_time) == (None, at(10))
    assert (status.transitions[-1].reason, status.transitions[-1].message) == ("Paused", "Paused: budget")
    assert (len(writes_of(decisions)), notices_of(decisions)) == (1, ["Paused"])
    contract = resumed(contract)
    assert (state_of(contract), status_of(contract).paused_from) == (after, None)


@pytest.mark.parametrize(
    ("supervisor", "state"), [(BLOCKED, "Blocked"), (WAITING, "WaitingForInput"), (WORKING, "Active"), (None, "Active")]
)
def test_resume_decides_by_what_is_so_by_then(supervisor: Supervisor | None, state: str) -> None:
    contract, decisions = drive(wanting(paused(active()), suspend=False), around(20, supervisor=supervisor))
    assert state_of(contract) == state
    assert [item.state for item in writes_of(decisions)] == [state]
    assert status_of(contract).transitions[-1].reason == "Resumed"


def test_a_blocked_reason_does_not_outlive_the_block() -> None:
    contract = driven(active(), around(5, supervisor=BLOCKED))
    assert status_of(paused(contract)).blocked_reason is None


def test_an_answer_given_during_the_pause_counts() -> None:
    contract = paused(driven(with_questions(active(), a_question(1)), around(5)))
    contract = driven(answering(contract, an_id(1)), around(12))
    assert (state_of(contract), status_of(contract).questions) == ("Paused", ())
    assert state_of(resumed(contract)) == "Active"


def test_a_contract_paused_before_its_start_starts_at_resume_if_a_supervisor_came() -> None:
    contract = paused(accepted(), supervisor=a_supervisor())
    assert state_of(contract) == "Paused"
    assert state_of(resumed(contract, supervisor=a_supervisor())) == "Active"


def test_nothing_advances_while_paused_and_everything_does_afterwards() -> None:
    contract = driven(reporting(paused(active()), "plan/plan-document", "execute/pull-request"), around(12))
    assert (state_of(contract), status_of(contract).phase) == ("Paused", "plan")
    assert len(status_of(contract).deliverables) == 2
    contract = resumed(contract)
    assert state_of(contract) == "Completed"


def test_a_confirmation_does_not_survive_a_pause() -> None:
    contract = driven(reporting(active(phase_guard=True), "plan/plan-document"), around(5))
    version = status_of(contract).version
    contract = advancing(paused(contract), "execute", version=version, confirmed=True)
    contract = resumed(contract)
    assert status_of(contract).phase == "plan"


def test_a_finished_contract_is_not_paused() -> None:
    contract = failing(active(), 5)
    assert state_of(paused(contract)) == "Failed"


def test_a_paused_contract_rests() -> None:
    _, decisions = drive(paused(active()), around(99999))
    assert [decision.wake_at for decision in decisions] == [None]


# Deadlines stand still


def stale_moment(contract: Contract) -> float:
    moment = stale_at(contract.spec, status_of(contract), Settings())
    assert moment is not None
    return (moment - at(0)).total_seconds()


def test_a_pause_does_not_count_as_idle_time() -> None:
    contract = active(stale_after_seconds=100)
    assert stale_moment(contract) == 100
    contract = paused(contract, 60)
    assert stale_at(contract.spec, status_of(contract), Settings()) is None
    contract = resumed(contract, 1060)
    assert stale_moment(contract) == 1100
    assert condition(contract, "Stale")[0] == "False"


def test_several_pauses_add_up() -> None:
    contract = active(stale_after_seconds=100)
    contract = resumed(paused(contract, 10), 20)
    contract = resumed(paused(contract, 40), 70)
    assert stale_moment(contract) == 140


def test_activity_during_a_pause_starts_the_time_anew_and_only_the_rest_of_the_pause_is_left_out() -> None:
    contract = paused(active(stale_after_seconds=100), 10)
    contract = driven(reporting(contract, "plan/plan-document"), around(30))
    contract = driven(wanting(contract, suspend=False, auto_complete=False), around(50))
    # The phase moved at resume, and that is activity too.
    assert stale_moment(contract) == 150


def test_activity_without_a_move_during_a_pause_leaves_out_the_rest_of_the_pause() -> None:
    contract = with_status(paused(active(stale_after_seconds=100), 10), last_activity_time=at(30), paused_seconds=None)
    assert stale_moment(resumed(contract, 50)) == 150


def test_activity_after_a_pause_forgets_it() -> None:
    contract = resumed(paused(active(stale_after_seconds=100), 10), 20)
    contract = driven(reporting(contract, "execute/pull-request"), around(30))
    assert stale_moment(contract) == 130


def test_pausing_and_resuming_are_no_activity() -> None:
    contract = resumed(paused(active(), 10), 20)
    assert status_of(contract).last_activity_time == at(0)


@pytest.mark.parametrize("seconds", [0.0, 0.4, 0.6, 1e-6])
def test_a_very_short_pause_is_no_trouble(seconds: float) -> None:
    contract = resumed(paused(active(), 10), 10 + seconds)
    assert state_of(contract) == "Active"
