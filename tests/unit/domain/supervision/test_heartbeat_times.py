"""How often a supervisor is to be heard, and when its silence counts: what is said, and what the settings fill in."""

from __future__ import annotations

import pytest

from makima.domain.supervision.heartbeat_times import HeartbeatTimes, filled_in, heartbeat_times
from makima.models.supervisor import SupervisorSettings, SupervisorSpec

CASES = {
    "nothing is said": (None, None, (30, 120)),
    "both are said": (5, 20, (5, 20)),
    "only a period that the default timeout is longer than": (60, None, (60, 120)),
    "only a period as long as the default timeout": (120, None, (120, 240)),
    "only the longest period": (3600, None, (3600, 7200)),
    "only a timeout that is longer than the default period": (None, 31, (30, 31)),
    "only a timeout as short as the default period": (None, 30, (15, 30)),
    "only the shortest timeout": (None, 2, (1, 2)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_goes_before_the_default_and_the_timeout_is_always_longer(case: str) -> None:
    period, timeout, expected = CASES[case]
    said = SupervisorSettings(heartbeat_period_seconds=period, heartbeat_timeout_seconds=timeout)
    assert heartbeat_times(said, HeartbeatTimes(30, 120)) == HeartbeatTimes(*expected)


def test_without_settings_the_defaults_are_the_plans() -> None:
    assert heartbeat_times(SupervisorSettings()) == HeartbeatTimes(30, 120)


def test_what_is_filled_in_stays_beside_the_rest() -> None:
    said = SupervisorSpec(suspend=True, heartbeat_period_seconds=3)
    filled = filled_in(said, HeartbeatTimes(7, 21))
    assert filled == SupervisorSpec(suspend=True, heartbeat_period_seconds=3, heartbeat_timeout_seconds=21)
