"""Which status can be asked for in which state, and what is written then."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.states import TRANSITIONS
from makima.domain.wishes.status_wishes import Change, NotAllowed, allowed_wishes, status_wish
from makima.models.enums import ContractState
from tests.support.builders import a_contract, a_status

S = ContractState
ALLOWED = {
    S.CREATED: {S.PAUSED, S.ARCHIVED},
    S.ACTIVE: {S.PAUSED},
    S.WAITING_FOR_INPUT: {S.PAUSED},
    S.BLOCKED: {S.PAUSED},
    S.PAUSED: {S.ACTIVE, S.ARCHIVED},
    S.COMPLETING: set(),
    S.COMPLETED: {S.ARCHIVED},
    S.FAILED: {S.ACTIVE, S.ARCHIVED},
    S.ARCHIVED: set(),
}


@pytest.mark.parametrize("wanted", S)
@pytest.mark.parametrize("state", S)
def test_what_can_be_asked_for_and_nothing_else(state: S, wanted: S) -> None:
    contract = a_contract(suspend=state is S.PAUSED)
    found = status_wish(contract, a_status(state=state), wanted, "why")
    assert set(allowed_wishes(state)) == ALLOWED[state]
    if wanted in ALLOWED[state]:
        assert isinstance(found, Change) and found.operations
    elif wanted is state and wanted in (S.PAUSED, S.ACTIVE, S.ARCHIVED):
        assert found == Change(())
    else:
        assert isinstance(found, NotAllowed) and set(found.allowed) == ALLOWED[state]


@pytest.mark.parametrize("state", S)
def test_nothing_is_offered_that_the_table_of_states_does_not_have(state: S) -> None:
    for wish in set(allowed_wishes(state)) - {S.ACTIVE}:
        assert wish in TRANSITIONS[state]


def test_a_retry_names_its_version_and_a_pause_its_reason() -> None:
    retry = status_wish(a_contract(), a_status(state=S.FAILED, version=7), S.ACTIVE, "")
    assert retry == Change(({"op": "add", "path": "/spec/retry", "value": {"expectedVersion": 7}},))
    pause = status_wish(a_contract(), a_status(), S.PAUSED, "lunch")
    assert isinstance(pause, Change)
    assert {one["path"]: one["value"] for one in pause.operations} == {
        "/spec/suspend": True,
        "/spec/suspendReason": "lunch",
    }


def test_going_on_forgets_why_it_was_paused() -> None:
    contract = a_contract(suspend=True, suspend_reason="lunch")
    found = status_wish(contract, a_status(state=S.PAUSED), S.ACTIVE, "")
    assert isinstance(found, Change)
    assert {"op": "remove", "path": "/spec/suspendReason"} in found.operations
