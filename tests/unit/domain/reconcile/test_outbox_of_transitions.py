"""status.transitions: nothing unrecorded is ever dropped, and a full outbox holds the contract."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.lifecycle import decide
from makima.domain.reconcile.outbox import KEPT, append, is_full, unrecorded, watermark
from makima.domain.settings import Settings
from makima.models.bounds import TRANSITIONS
from makima.models.contract import Contract
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import ContractStatus, Transition
from makima.models.enums import ContractState
from makima.models.gate import Phase
from tests.support.builders import (
    a_gate,
    a_phase,
    a_status,
    active,
    around,
    at,
    condition,
    drive,
    driven,
    notices_of,
    reporting,
    status_of,
    wanting,
    writes_of,
)


def a_transition(version: int) -> Transition:
    return Transition(version=version, time=at(0), reason="Advanced", to_state=ContractState.ACTIVE, to_phase="plan")


def with_versions(first: int, last: int, recorded: int | None = None) -> ContractStatus:
    items = tuple(a_transition(version) for version in range(first, last + 1))
    return a_status(version=last, transitions=items, recorded_version=recorded)


def versions(status: ContractStatus) -> list[int]:
    return [item.version for item in status.transitions]


def test_with_postgres_away_everything_is_kept() -> None:
    status = append(with_versions(1, 20), a_transition(21), recorded_version=0)
    assert versions(status) == list(range(1, 22))
    assert status.recorded_version == 0


@pytest.mark.parametrize("recorded", range(21))
def test_what_is_not_recorded_stays_and_a_few_that_are_stay_with_it(recorded: int) -> None:
    status = append(with_versions(1, 20), a_transition(21), recorded_version=recorded)
    first = max(1, min(recorded + 1, 20 - KEPT + 1))
    assert versions(status) == list(range(first, 22))
    assert status.recorded_version == recorded


def test_the_watermark_is_the_higher_of_what_the_status_and_the_recorder_know() -> None:
    assert watermark(with_versions(1, 20, recorded=7), 3) == 7
    assert watermark(with_versions(1, 20, recorded=3), 7) == 7
    assert watermark(with_versions(1, 20), 0) == 0


def test_the_watermark_is_never_above_the_version() -> None:
    assert watermark(with_versions(1, 20), 99) == 20


def test_the_watermark_never_falls() -> None:
    status = append(with_versions(1, 20, recorded=9), a_transition(21), recorded_version=2)
    assert status.recorded_version == 9


@pytest.mark.parametrize(("waiting", "full"), [(0, False), (63, False), (64, True)])
def test_the_outbox_is_full_when_another_version_does_not_fit(waiting: int, full: bool) -> None:
    status = with_versions(1, TRANSITIONS)
    assert is_full(status, TRANSITIONS - waiting) is full
    assert len(unrecorded(status, TRANSITIONS - waiting)) == waiting


# A contract with Postgres away


def flip(contract: Contract, seconds: float, recorded: int) -> Contract:
    """Pause and resume in turn: a version each."""
    contract = wanting(contract, suspend=not contract.spec.suspend)
    return driven(contract, around(seconds, Settings(monitoring=False), recorded_version=recorded))


def unrecorded_contract(*phases: Phase) -> Contract:
    contract = active(*phases)
    return contract.model_copy(update={"status": status_of(contract).model_copy(update={"recorded_version": None})})


def full() -> Contract:
    contract = unrecorded_contract()
    for number in range(200):
        contract = flip(contract, number, 0)
    return contract


def test_phases_move_on_while_postgres_is_away() -> None:
    phases = [a_phase(f"p{n}", "d", gate=a_gate()) for n in range(12)]
    contract = reporting(unrecorded_contract(*phases), *(f"p{n}/d" for n in range(12)))
    contract = driven(contract, around(5, recorded_version=0))
    assert status_of(contract).state is ContractState.COMPLETED
    assert versions(status_of(contract)) == list(range(1, status_of(contract).version + 1))


def test_a_full_outbox_holds_the_contract_and_loses_nothing() -> None:
    contract = full()
    assert versions(status_of(contract)) == list(range(1, TRANSITIONS + 1))
    assert status_of(contract).version == TRANSITIONS
    assert condition(contract, "HistoryRecorded") == (
        "False",
        "OutboxFull",
        "64 of 64 versions wait for Postgres; the contract holds until it is back",
    )


def test_a_full_outbox_is_told_once_and_then_nothing_is_written() -> None:
    contract = unrecorded_contract()
    told: list[str] = []
    for number in range(70):
        contract = wanting(contract, suspend=not contract.spec.suspend)
        contract, decisions = drive(contract, around(number, Settings(monitoring=False), recorded_version=0))
        told += notices_of(decisions)
    assert told.count("HistoryOutboxFull") == 1
    decision = decide(contract, around(99, Settings(monitoring=False), recorded_version=0))
    assert (decision.status, decision.question) == (None, None)


def test_a_held_contract_goes_on_as_soon_as_one_version_is_recorded() -> None:
    contract = full()
    contract = wanting(contract, suspend=status_of(contract).state is not ContractState.PAUSED)
    held = decide(contract, around(300, recorded_version=0)).status
    assert held is not None
    assert held.version == TRANSITIONS
    contract, decisions = drive(contract, around(301, recorded_version=1))
    assert status_of(contract).version == TRANSITIONS + 1
    assert versions(status_of(contract)) == list(range(2, TRANSITIONS + 2))
    assert condition(contract, "HistoryRecorded")[0] == "False", "and is full again"
    assert len(writes_of(decisions)) == 1


def test_a_held_contract_takes_in_nothing_and_takes_in_everything_afterwards() -> None:
    contract = reporting(wanting(full(), suspend=False), "plan/plan-document", "execute/pull-request")
    contract = driven(contract, around(300, recorded_version=0))
    assert status_of(contract).deliverables == ()
    contract = driven(contract, around(301, recorded_version=TRANSITIONS))
    assert status_of(contract).state is ContractState.COMPLETED
    assert condition(contract, "HistoryRecorded")[:2] == ("True", "Recording")


def test_a_hundred_versions_pass_through_a_recorder_that_comes_and_goes_without_a_gap() -> None:
    contract, postgres = unrecorded_contract(), {1, 2}
    recorded = 0
    for number in range(400):
        contract = flip(contract, number, recorded)
        if number % 70 == 69:
            postgres |= {item.version for item in status_of(contract).transitions}
            recorded = status_of(contract).version
    postgres |= {item.version for item in status_of(contract).transitions}
    assert status_of(contract).version > 100
    assert postgres == set(range(1, status_of(contract).version + 1))


def test_a_request_waits_out_the_hold() -> None:
    contract = full()
    contract = wanting(
        contract, suspend=False, advance=AdvanceRequest(to="execute", expected_version=TRANSITIONS, force=True)
    )
    contract = driven(contract, around(300, recorded_version=0))
    assert status_of(contract).advance is None
