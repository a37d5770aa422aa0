"""Heartbeats of one life that overtake each other."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import pytest

from makima.models.enums import RestorationOutcome
from makima.models.wire.heartbeat import HeartbeatAnswer
from makima.models.wire.problem import Code, Problem
from makima.models.wire.registration import Registered, Restoration
from makima.supervisor.errors import Refused
from makima.supervisor.heartbeats import Heartbeats
from makima.supervisor.picture import picture_of
from tests.unit.supervisor.test_moves import NOW


class Overtaking:
    """An API service that gets a newer heartbeat while it is about to take the first."""

    def __init__(self, code: Code) -> None:
        self.code, self.beats, self.stored = code, cast("Any", None), list[int]()

    async def post(self, path: str, beat: Any, *_: object, **__: object) -> HeartbeatAnswer:
        if beat.sequence == 1 and self.code is Code.CONFLICT:
            assert await self.beats.send(deadline=1)
        if beat.sequence == 1:
            raise Refused(Problem(code=self.code, message="no"))
        self.stored.append(beat.sequence)
        return HeartbeatAnswer(result="stored", sequence=beat.sequence, server_time=NOW)


def beginning(code: Code) -> tuple[Heartbeats, Overtaking]:
    life = Registered(
        contract_id=uuid4(),
        task_id=uuid4(),
        incarnation=1,
        phase="plan",
        contract_version=1,
        heartbeat_interval_seconds=1,
        heartbeat_timeout_seconds=2,
        restoration=Restoration(outcome=RestorationOutcome.FRESH, reason="new"),
        server_time=NOW,
    )
    api = Overtaking(code)
    api.beats = Heartbeats(cast("Any", api), "/", life, picture_of(life), cast("Any", None), take=lambda _: None)
    return api.beats, api


async def test_one_that_a_newer_one_of_its_life_was_before_is_no_failure() -> None:
    beats, api = beginning(Code.CONFLICT)
    assert await beats.send(deadline=1) is False
    assert api.stored == [2]


async def test_one_that_is_refused_for_itself_is() -> None:
    beats, _ = beginning(Code.FORBIDDEN)
    with pytest.raises(Refused):
        await beats.send(deadline=1)
