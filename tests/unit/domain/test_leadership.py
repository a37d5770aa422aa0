"""Who leads, decided by one process's own clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.domain.leadership import (
    Acquire,
    LeaseRecord,
    Observation,
    Renew,
    Wait,
    deaf_for,
    decide_lease,
    observe,
)

RECORD = LeaseRecord(holder="other", renewed="t1", duration=15)


@pytest.mark.parametrize(
    ("seen", "now", "decision"),
    [
        (None, 100.0, Acquire()),
        (Observation(LeaseRecord("", "t1", 15), 99.0), 100.0, Acquire()),
        (Observation(LeaseRecord("me", "t1", 15), 0.0), 100.0, Renew()),
        (Observation(RECORD, 90.0), 100.0, Wait(5.0)),
        (Observation(RECORD, 85.0), 100.0, Acquire()),
        (Observation(RECORD, 10.0), 100.0, Acquire()),
    ],
    ids=["no lease", "given up", "mine", "held and renewed", "silent for the whole duration", "long silent"],
)
def test_a_candidate_takes_only_what_is_free_or_silent(seen: Observation | None, now: float, decision: object) -> None:
    assert decide_lease(seen, "me", now) == decision


def test_a_renewed_lease_is_young_again() -> None:
    before = Observation(RECORD, 10.0)
    assert observe(before, RECORD, 20.0) is before
    assert observe(before, LeaseRecord("other", "t2", 15), 20.0).since == 20.0


@given(renewals=st.lists(st.floats(0.1, 14.9), max_size=20), start=st.floats(0, 1e6))
def test_a_leader_that_renews_in_time_is_never_replaced(renewals: list[float], start: float) -> None:
    seen, now = observe(None, RECORD, start), start
    for number, pause in enumerate(renewals):
        now += pause
        assert isinstance(decide_lease(seen, "me", now), Wait)
        seen = observe(seen, LeaseRecord("other", f"renewal {number}", 15), now)


@pytest.mark.parametrize(
    ("leading", "seen", "deaf"),
    [
        (None, None, None),
        (None, 500.0, None),
        (10.0, None, None),
        (31.0, None, 31.0),
        (900.0, 5.0, None),
        (900.0, 40.0, 40.0),
    ],
    ids=["a standby", "a standby that once led", "just leading", "never heard", "heard lately", "heard long ago"],
)
def test_a_leader_that_hears_nothing_over_its_watch_is_deaf(
    leading: float | None, seen: float | None, deaf: float | None
) -> None:
    assert deaf_for(leading, seen, 30.0) == deaf
