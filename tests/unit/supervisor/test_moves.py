"""In which phase a supervisor thinks that its contract is, whatever it learns first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest

from makima.models.enums import CommandKind, RestorationOutcome
from makima.models.wire.commands import Command
from makima.models.wire.registration import Registered, Restoration
from makima.models.wire.work import Accepted
from makima.supervisor.picture import Picture, picture_of
from makima.supervisor.transport import Transport
from makima.supervisor.work import Work

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Answering:
    """An API service that accepts everything; the contract is at this version then."""

    def __init__(self, version: int) -> None:
        self.version = version

    async def post(self, *_: object, **__: object) -> Accepted:
        return Accepted(contract_version=self.version, server_time=NOW)


def begun(phase: str, version: int, answers: int = 0) -> tuple[Work, Picture]:
    """A life that registered while the contract was there."""
    life = Registered(
        contract_id=uuid4(),
        task_id=uuid4(),
        incarnation=1,
        phase=phase,
        contract_version=version,
        heartbeat_interval_seconds=1,
        heartbeat_timeout_seconds=2,
        restoration=Restoration(outcome=RestorationOutcome.FRESH, reason="new"),
        server_time=NOW,
    )
    picture = picture_of(life)
    return Work(cast("Transport", Answering(answers)), "/", life, picture), picture


def moved(to: str, version: int) -> Command:
    payload: dict[str, Any] = {"from": "?", "to": to, "version": version}
    return Command(id=uuid4(), kind=CommandKind.PHASE_CHANGED, payload=payload, created_at=NOW)


@pytest.mark.parametrize("later", [0, 1, 3], ids=["at its version", "after one more", "after three more"])
async def test_a_deliverable_that_moves_the_contract_does_not_hide_the_move(later: int) -> None:
    work, picture = begun("plan", 4, answers=5 + later)
    await work.deliver("plan", "plan-document", None, None, deadline=1)
    assert picture.contract_version == 5 + later
    await work.learn(moved("execute", 5))
    assert (picture.phase, picture.contract_version) == ("execute", 5 + later)


async def test_an_old_move_that_is_told_again_changes_nothing() -> None:
    work, picture = begun("plan", 4)
    for to, version in (("execute", 5), ("review", 7), ("execute", 5), ("plan", 2)):
        await work.learn(moved(to, version))
    assert (picture.phase, picture.contract_version) == ("review", 7)


async def test_what_was_told_to_the_life_before_changes_nothing() -> None:
    work, picture = begun("review", 9)
    for to, version in (("execute", 5), ("review", 7), ("Completed", 8)):
        await work.learn(moved(to, version))
    assert (picture.phase, picture.completed) == ("review", False)


async def test_the_end_is_learnt_although_its_version_is_known() -> None:
    work, picture = begun("execute", 5, answers=6)
    await work.deliver("execute", "pull-request", None, None, deadline=1)
    await work.learn(moved("Completed", 6))
    assert picture.completed
