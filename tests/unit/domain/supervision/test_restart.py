"""What follows the end of a life: rules, budget, back-off, and many ends at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.domain.supervision.restart import (
    STORM,
    AfterEnd,
    EndKind,
    Fail,
    LeaveEnded,
    LifeEnd,
    RestartCounted,
    RestartUncounted,
    after_end,
    restart_delay,
    storm_delay,
)
from makima.domain.token_bucket import Bucket, Rate, filled, take
from makima.models.enums import RestartAction, RuleOperator
from makima.models.supervisor import Backoff, Restart, RestartRule
from tests.support.builders import START, at

FAILS = RestartRule(action=RestartAction.FAIL_CONTRACT, exit_codes=(42,))
IGNORES = RestartRule(action=RestartAction.IGNORE, exit_codes=(75, 143))
RESTARTS = RestartRule(action=RestartAction.RESTART, exit_codes=(42, 1))
ONLY_ONE = RestartRule(action=RestartAction.FAIL_CONTRACT, operator=RuleOperator.NOT_IN, exit_codes=(1,))


def exited(code: int, lived: float = 5) -> LifeEnd:
    return LifeEnd(EndKind.EXITED, code, lived)


NO_RULES: tuple[RestartRule, ...] = ()

TABLE: dict[str, tuple[LifeEnd, Sequence[RestartRule], int, AfterEnd]] = {
    "an exit code": (exited(1), NO_RULES, 0, RestartCounted(1)),
    "a signal": (exited(137), NO_RULES, 4, RestartCounted(5)),
    "exit 0 with work left": (exited(0), NO_RULES, 2, RestartCounted(3)),
    "vanished": (LifeEnd(EndKind.VANISHED), NO_RULES, 0, RestartCounted(1)),
    "timed out": (LifeEnd(EndKind.TIMED_OUT), NO_RULES, 0, RestartCounted(1)),
    "disrupted": (LifeEnd(EndKind.DISRUPTED, 143), NO_RULES, 3, RestartUncounted(3)),
    "asked for": (LifeEnd(EndKind.ASKED), NO_RULES, 10, RestartUncounted(10)),
    "the last of the budget": (exited(1), NO_RULES, 9, RestartCounted(10)),
    "an ignored code": (exited(75), (IGNORES,), 10, RestartUncounted(10)),
    "an ignored code that is not named": (exited(74), (IGNORES,), 0, RestartCounted(1)),
    "the first rule that matches": (exited(42), (RESTARTS, FAILS), 0, RestartCounted(1)),
    "not in": (exited(1), (ONLY_ONE,), 0, RestartCounted(1)),
    "no rule speaks of an end without a code": (LifeEnd(EndKind.VANISHED), (ONLY_ONE,), 0, RestartCounted(1)),
    "a long life makes the budget whole": (exited(1, 600), NO_RULES, 10, RestartCounted(1)),
    "a life a little shorter": (exited(1, 599), NO_RULES, 8, RestartCounted(9)),
    "a long life that was disrupted": (LifeEnd(EndKind.DISRUPTED, lived=700), NO_RULES, 7, RestartUncounted(0)),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_follows_an_end(name: str) -> None:
    end, rules, restarts, expected = TABLE[name]
    assert after_end(end, Restart(rules=tuple(rules)), restarts) == expected


@pytest.mark.parametrize(
    ("end", "rules", "restarts", "told"),
    [
        (exited(42), (FAILS, RESTARTS), 0, "exit code 42, and a restart rule says"),
        (exited(2), (ONLY_ONE,), 0, "exit code 2"),
        (exited(0), (ONLY_ONE,), 0, "exit code 0"),
        (exited(1), (), 10, "restart budget spent: 10 restarts; the last life ended with exit code 1"),
        (LifeEnd(EndKind.TIMED_OUT, detail="silent"), (), 10, "ended with timed out (silent); spec.retry"),
    ],
)
def test_what_fails_the_contract_says_why(
    end: LifeEnd, rules: tuple[RestartRule, ...], restarts: int, told: str
) -> None:
    found = after_end(end, Restart(rules=rules), restarts)
    assert isinstance(found, Fail)
    assert told in found.reason


def test_without_a_budget_the_first_end_is_the_last() -> None:
    assert isinstance(after_end(exited(1), Restart(max_restarts=0), 0), Fail)


@pytest.mark.parametrize(
    ("end", "leaves"),
    [
        (exited(0), True),
        (exited(1), False),
        (LifeEnd(EndKind.TIMED_OUT), False),
        (LifeEnd(EndKind.DISRUPTED, 0), False),
    ],
)
def test_without_work_left_only_a_clean_exit_is_left_alone(end: LifeEnd, leaves: bool) -> None:
    found = after_end(end, Restart(), 0, work_left=False)
    assert isinstance(found, LeaveEnded) is leaves


@pytest.mark.parametrize(("restarts", "least"), [(0, 10), (1, 10), (2, 20), (3, 40), (6, 300), (10_000, 300)])
def test_waits_grow_up_to_the_cap(restarts: int, least: float) -> None:
    wait = restart_delay(Backoff(), restarts, "uid", 3)
    assert least <= wait <= least * 1.2
    assert wait == restart_delay(Backoff(), restarts, "uid", 3)


def test_the_jitter_differs_by_supervisor_and_life() -> None:
    waits = {restart_delay(Backoff(), 1, uid, life) for uid in ("a", "b", "c") for life in (1, 2, 3)}
    assert len(waits) == 9


@pytest.mark.parametrize("factor", [1, 10])
def test_no_wait_is_no_wait(factor: int) -> None:
    assert restart_delay(Backoff(seconds=0, factor=factor, cap_seconds=300), 99, "uid", 1) == 0
    assert restart_delay(Backoff(seconds=60, factor=factor, cap_seconds=0), 1, "uid", 1) == 0


@given(
    seconds=st.integers(0, 3600), factor=st.integers(1, 10), cap=st.integers(0, 86400), restarts=st.integers(0, 10_000)
)
def test_a_wait_never_passes_the_cap_and_its_jitter(seconds: int, factor: int, cap: int, restarts: int) -> None:
    settings = Backoff(seconds=seconds, factor=factor, cap_seconds=cap)
    assert 0 <= restart_delay(settings, restarts, "uid", 1) <= cap * 1.2


def test_thousands_that_die_at_once_come_back_at_the_fleets_rate() -> None:
    bucket, allowed = Bucket(STORM.burst, START), []
    for _ in range(3000):
        bucket, moment = storm_delay(bucket, START)
        allowed.append((moment - START).total_seconds())
    assert allowed == sorted(allowed)
    assert allowed[: int(STORM.burst)] == [0.0] * int(STORM.burst)
    assert allowed[-1] == pytest.approx((3000 - STORM.burst) / STORM.per_second)


@given(
    waits=st.lists(st.floats(-5, 20, allow_nan=False), min_size=1, max_size=60),
    rate=st.builds(Rate, st.floats(0.5, 50), st.integers(1, 20).map(float)),
)
def test_no_stretch_of_time_gets_more_than_burst_and_rate_allow(waits: list[float], rate: Rate) -> None:
    bucket, now, went = Bucket(rate.burst, START), 0.0, []
    for wait in waits:  # some of them negative: a clock that is set back
        now = max(-10.0, now + wait)
        bucket, moment = take(bucket, rate, at(now))
        went.append((moment - START).total_seconds())
        assert moment >= at(now)
    for begin in went:
        for length in (1.0, 7.0):
            inside = sum(begin <= moment <= begin + length for moment in went)
            assert inside <= rate.burst + rate.per_second * length + 1 + 1e-6


def test_a_bucket_fills_up_to_its_burst_and_no_further() -> None:
    rate = Rate(per_second=2, burst=5)
    assert filled(Bucket(0, START), rate, at(1)).tokens == 2
    assert filled(Bucket(0, START), rate, at(100)).tokens == 5
    assert filled(Bucket(3, at(5)), rate, at(0)) == Bucket(3, at(5))
