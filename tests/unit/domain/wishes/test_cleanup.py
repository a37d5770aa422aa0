"""What a clean-up would affect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makima.domain.reconcile.outbox import KEPT
from makima.domain.wishes.cleanup import Action, Wanted, affected
from makima.models.contract import Contract
from makima.models.contract_spec import Workspace
from makima.models.contract_status import Transition
from makima.models.enums import ContractState
from tests.support.builders import a_contract, active, at, wanting, with_status

S = ContractState
DAY = 86_400


def finished(state: ContractState, day: float, **spec: Any) -> Contract:
    ended = at(day * DAY)
    contract = with_status(active(), state=state, finished_time=ended, state_changed_time=ended, recorded_version=2)
    return wanting(contract, **spec)


def transitions(number: int) -> tuple[Transition, ...]:
    return tuple(
        Transition(version=version, time=at(0), reason="Test", to_state=S.ARCHIVED, to_phase="plan")
        for version in range(3, 3 + number)
    )


ARCHIVE, DELETE, TREES = Wanted(archive=True), Wanted(delete_archived=True), Wanted(worktrees=True)
ALL = Wanted(archive=True, delete_archived=True, worktrees=True)
TABLE: list[tuple[str, Contract, Wanted, list[Action]]] = [
    ("completed long ago", finished(S.COMPLETED, 0), ARCHIVE, [Action.ARCHIVE]),
    ("failed long ago", finished(S.FAILED, 0), ARCHIVE, [Action.ARCHIVE]),
    ("completed lately", finished(S.COMPLETED, 4), ARCHIVE, []),
    ("still active", active(), ALL, []),
    ("to be archived already", finished(S.COMPLETED, 0, archived=True), ARCHIVE, []),
    ("archived long ago", finished(S.ARCHIVED, 0), DELETE, [Action.DELETE]),
    ("archived lately", finished(S.ARCHIVED, 4), DELETE, []),
    ("archived, only archiving wanted", finished(S.ARCHIVED, 0), ARCHIVE, []),
    ("completed, only deleting wanted", finished(S.COMPLETED, 0), DELETE, []),
    ("never two at once", finished(S.COMPLETED, 0), ALL, [Action.ARCHIVE]),
    ("a workspace of a running contract", active(workspace=Workspace()), TREES, [Action.CLEAR_WORKTREES]),
    (
        "the worktrees of a contract before it is deleted",
        finished(S.ARCHIVED, 0, workspace=Workspace()),
        ALL,
        [Action.CLEAR_WORKTREES, Action.DELETE],
    ),
    (
        "the worktrees of a contract before it is archived",
        finished(S.COMPLETED, 0, workspace=Workspace()),
        ALL,
        [Action.CLEAR_WORKTREES, Action.ARCHIVE],
    ),
    ("not accepted", a_contract(workspace=Workspace()), ALL, []),
    (
        "shorter threshold",
        finished(S.COMPLETED, 4),
        Wanted(archive=True, older_than=timedelta(days=3)),
        [Action.ARCHIVE],
    ),
]


@pytest.mark.parametrize(("contract", "wanted", "actions"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_is_affected(contract: Contract, wanted: Wanted, actions: list[Action]) -> None:
    found = list(affected([contract], wanted, at(8 * DAY)))
    assert [item.action for item in found] == actions
    assert all((item.namespace, item.name) == ("default", "work") and item.held is None for item in found)


def test_what_postgres_does_not_have_is_not_deleted() -> None:
    archived = finished(S.ARCHIVED, 0)
    lagging = with_status(archived, transitions=transitions(KEPT), version=2 + KEPT)
    missing = with_status(archived, transitions=transitions(KEPT + 1), version=3 + KEPT)
    first, second = affected([lagging, missing], DELETE, at(8 * DAY))
    assert first.held is None
    assert second.held is not None and "not in the history" in second.held
