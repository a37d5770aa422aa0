"""`[contracts] heartbeat_*`: what a supervisor that says nothing of heartbeats is held to, until it is dead."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from makima.ports import JsonObject
from tests.integration.supervise.conftest import SETTINGS, Lives
from tests.support.operator_process import OperatorUnderTest, StartOperator

pytestmark = [pytest.mark.xdist_group("supervise"), pytest.mark.usefixtures("operator")]

OWN = {"contracts__heartbeat_interval_seconds": 1, "contracts__heartbeat_timeout_seconds": 3}

BY_HAND: dict[str, tuple[JsonObject, tuple[int, int]]] = {
    "nothing": ({}, (1, 3)),
    "period": ({"heartbeatPeriodSeconds": 60}, (60, 120)),
    "timeout": ({"heartbeatTimeoutSeconds": 600}, (1, 600)),
}


@pytest.fixture(scope="module")
def operator(start_operator: StartOperator) -> OperatorUnderTest:
    """The module's operator, leading, with settings that are not the plan's."""
    return start_operator(**SETTINGS, **OWN).wait_leading()


async def test_a_life_that_nobody_says_a_timeout_of_ends_by_that_of_the_settings(lives: Lives) -> None:
    await lives.covered(datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(minutes=5))
    await lives.living("silent")
    assert await times(lives, "silent") == (1, 3)
    status = await lives.shows("silent", lambda now: now["incarnation"] == 2, 20)
    assert "nothing was heard" in status["errorMessage"]


@pytest.mark.parametrize("said", BY_HAND)
async def test_a_supervisor_that_is_applied_by_hand_gets_what_it_leaves_out(lives: Lives, said: str) -> None:
    spec, expected = BY_HAND[said]
    await lives.create(said, phases=[{"name": "one"}])
    await lives.register(said, **spec)
    async with asyncio.timeout(20):
        while await times(lives, said) != expected:
            await asyncio.sleep(0.05)


async def times(lives: Lives, name: str) -> tuple[object, object]:
    """Period and timeout that the Supervisor says."""
    spec = (await lives.admin.get(name, "supervisors"))["spec"]
    return spec.get("heartbeatPeriodSeconds"), spec.get("heartbeatTimeoutSeconds")
