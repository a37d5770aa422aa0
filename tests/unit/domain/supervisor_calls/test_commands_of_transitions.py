"""What a supervisor is told about each change of its contract: once, with an id that is always the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import pytest

from makima.domain.reconcile.states import TRANSITIONS
from makima.domain.supervisor_calls.commands import command_id, unrecorded_commands
from makima.models.contract_status import Transition
from makima.models.enums import CommandKind, ContractState
from tests.support.builders import UID, a_status, accepted, active, advancing, around, at, driven, status_of, wanting

S, K = ContractState, CommandKind


def caused(before: S | None, after: S, *, phases: tuple[str, str] = ("plan", "plan")) -> list[tuple[K, Any]]:
    transition = Transition(
        version=5,
        time=at(1),
        reason="Because",
        message="why",
        from_state=before,
        to_state=after,
        from_phase=phases[0] if before is not None else None,
        to_phase=phases[1],
    )
    status = a_status(transitions=(transition,), version=5)
    return [(item.kind, dict(item.payload)) for item in unrecorded_commands(accepted(), status, 4)]


PAUSE, RESUME = (K.PAUSE, {"reason": "why"}), (K.RESUME, {})


def expected(before: S, after: S) -> list[tuple[K, Any]]:
    """The table, said once more."""
    if before in (S.COMPLETED, S.FAILED):
        return []
    if after in (S.COMPLETED, S.FAILED, S.ARCHIVED):
        return [(K.STOP, {"reason": "why", "state": after.snake})]
    if after is S.PAUSED:
        return [PAUSE]
    return [RESUME] if before is S.PAUSED else []


@pytest.mark.parametrize(("before", "after"), [(old, new) for old, row in TRANSITIONS.items() for new in sorted(row)])
def test_each_move_between_states_tells_what_it_means_for_the_work(before: S, after: S) -> None:
    assert caused(before, after) == expected(before, after)


def test_a_change_of_phase_is_told_with_version_and_before_everything_else() -> None:
    moved = (K.PHASE_CHANGED, {"from": "plan", "to": "execute", "version": 5})
    assert caused(S.ACTIVE, S.ACTIVE, phases=("plan", "execute")) == [moved]
    assert caused(S.ACTIVE, S.PAUSED, phases=("plan", "execute")) == [moved, PAUSE]


def test_the_first_version_and_a_deliverable_tell_nothing() -> None:
    assert caused(None, S.CREATED) == []
    assert caused(S.ACTIVE, S.ACTIVE) == []


def test_ids_are_made_of_contract_version_and_kind_and_what_is_recorded_is_not_told_again() -> None:
    contract = driven(wanting(active(), suspend=True), around(5, recorded_version=0))
    version = status_of(contract).version
    (pause,) = unrecorded_commands(contract, status_of(contract), 0)
    assert pause.id == uuid5(UUID(UID), f"command:{version}:pause") == command_id(UUID(UID), version, K.PAUSE)
    assert (pause.contract_id, pause.created_at) == (UUID(UID), at(5))
    assert unrecorded_commands(contract, status_of(contract), version) == ()


def test_a_life_of_a_contract_tells_its_supervisor_of_each_step() -> None:
    contract = advancing(active(auto_complete=False), "execute", force=True)
    contract = driven(contract, around(5, recorded_version=0))
    contract = driven(wanting(contract, suspend=True), around(6, recorded_version=0))
    contract = driven(wanting(contract, suspend=False), around(7, recorded_version=0))
    contract = driven(advancing(contract, "Completed", force=True), around(8, recorded_version=0))
    told = [item.kind for item in unrecorded_commands(contract, status_of(contract), 0)]
    assert told == [K.PHASE_CHANGED, K.PAUSE, K.RESUME, K.STOP]
