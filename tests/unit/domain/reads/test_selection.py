"""The filters of a list, and what of them the API server is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makima.domain.reads.selection import Selection, selected
from makima.models.contract import Contract
from makima.models.enums import ContractState
from tests.support.builders import a_contract, a_question, active, at, wanting, with_status
from tests.unit.domain.reads.test_waits import STALE

S = ContractState
ACTIVE = active()
ASKING = with_status(ACTIVE, questions=(a_question(1),), state=S.WAITING_FOR_INPUT)
FLAGGED = with_status(ACTIVE, conditions=(STALE,))
SHORT = wanting(ACTIVE, stale_after_seconds=60)

TABLE: list[tuple[str, Contract, dict[str, Any], float, bool]] = [
    ("no filter", ACTIVE, {}, 0, True),
    ("not accepted, no filter", a_contract(), {}, 0, True),
    ("not accepted, by state", a_contract(), {"states": frozenset({S.ACTIVE})}, 0, False),
    ("its state", ACTIVE, {"states": frozenset({S.ACTIVE, S.FAILED})}, 0, True),
    ("another state", ACTIVE, {"states": frozenset({S.FAILED})}, 0, False),
    ("its phase", ACTIVE, {"phase": "plan"}, 0, True),
    ("another phase", ACTIVE, {"phase": "execute"}, 0, False),
    ("its type", ACTIVE, {"type": "simple"}, 0, True),
    ("another type", ACTIVE, {"type": "execute"}, 0, False),
    ("waits for a person", ASKING, {"waiting": True}, 0, True),
    ("waits for work", ACTIVE, {"waiting": True}, 0, False),
    ("busy", ACTIVE, {"stale": True}, 1799, False),
    ("idle for half an hour", ACTIVE, {"stale": True}, 1800, True),
    ("the operator says so", FLAGGED, {"stale": True}, 1, True),
    ("its own threshold", SHORT, {"stale": True}, 61, True),
    ("a longer threshold than its own", SHORT, {"stale": True, "threshold": timedelta(hours=1)}, 61, False),
    ("a shorter threshold", ACTIVE, {"stale": True, "threshold": timedelta(seconds=10)}, 11, True),
    ("the pause is not counted", with_status(ACTIVE, paused_seconds=60), {"stale": True}, 1810, False),
    ("paused is not stale", with_status(ACTIVE, state=S.PAUSED), {"stale": True}, 9999, False),
    ("finished is not stale", with_status(ACTIVE, state=S.COMPLETED), {"stale": True}, 9999, False),
    ("all agree", ASKING, {"waiting": True, "phase": "plan", "states": frozenset({S.WAITING_FOR_INPUT})}, 0, True),
    ("one does not", ASKING, {"waiting": True, "phase": "execute"}, 0, False),
]


@pytest.mark.parametrize(
    ("contract", "filters", "seconds", "shown"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_filters(contract: Contract, filters: dict[str, Any], seconds: float, shown: bool) -> None:
    assert selected(contract, Selection(**filters), at(seconds)) is shown


def test_the_api_server_is_asked_for_what_it_can_tell_apart() -> None:
    assert Selection().fields() == ""
    assert Selection(phase="plan", type="simple").fields() == "status.phase=plan,spec.type=simple"
    excluded = Selection(states=frozenset(set(S) - {S.FAILED, S.ARCHIVED})).fields()
    assert sorted(excluded.split(",")) == ["status.state!=Archived", "status.state!=Failed"]
