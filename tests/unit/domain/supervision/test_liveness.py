"""When silence is death: never over a gap in the coverage, always in the end when there is none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.domain.supervision.liveness import (
    Alive,
    Dead,
    Judgement,
    Uncovered,
    allowed_gap,
    is_watched,
    judge,
    last_sign,
)
from makima.models.enums import ContractState
from makima.models.metadata import Metadata
from makima.models.supervision import Span
from makima.models.supervisor import Supervisor, SupervisorSpec, SupervisorStatus
from tests.support.builders import START, accepted, active, at, wanting, with_status

Spans = list[tuple[float, float]]


def verdict(spans: Spans, now: float, *, heard: float = 0, timeout: float = 120) -> Judgement:
    covered = [Span(at(start), at(end)) for start, end in spans]
    return judge(at(heard), timedelta(seconds=timeout), covered, at(now))


TABLE: dict[str, tuple[Spans, float, Judgement]] = {
    "within the timeout": ([], 119.9, Alive(at(120))),
    "the timeout is over": ([(-5, 120)], 120, Dead(at(0))),
    "long over": ([(-5, 5000)], 5000, Dead(at(0))),
    "no coverage at all": ([], 120, Uncovered(at(120), at(240))),
    "coverage ended before": ([(-100, -1)], 120, Uncovered(at(120), at(240))),
    "a gap as long as is allowed": ([(0, 50), (62, 120)], 120, Dead(at(0))),
    "a gap a little longer": ([(0, 50), (62.1, 130)], 130, Uncovered(at(62.1), at(182.1))),
    "a whole timeout after the gap": ([(0, 50), (70, 190)], 190, Dead(at(0))),
    "a gap that reaches up to now": ([(0, 100)], 130, Uncovered(at(130), at(250))),
    "the last extension is not written yet": ([(0, 110)], 120, Dead(at(0))),
    "a gap at the beginning": ([(30, 130)], 130, Uncovered(at(30), at(150))),
    "a small gap at the beginning": ([(11, 130)], 130, Dead(at(0))),
    "two instances, one after the other": ([(0, 65), (60, 130)], 130, Dead(at(0))),
    "a short span inside a long one": ([(0, 130), (20, 30)], 130, Dead(at(0))),
    "spans in any order": ([(60, 130), (0, 65)], 130, Dead(at(0))),
    "a gap before it was last heard": ([(-50, -40), (-5, 130)], 130, Dead(at(0))),
    "the latest of several gaps counts": ([(0, 20), (40, 60), (100, 200)], 200, Uncovered(at(100), at(220))),
    "an instance whose clock is ahead": ([(0, 50), (500, 600)], 130, Uncovered(at(130), at(250))),
}


@pytest.mark.parametrize("name", TABLE)
def test_judgements(name: str) -> None:
    spans, now, expected = TABLE[name]
    assert verdict(spans, now) == expected


@pytest.mark.parametrize(("timeout", "gap"), [(2, 10), (100, 10), (120, 12), (3600, 360)])
def test_the_allowed_gap_is_ten_seconds_or_a_tenth_of_the_timeout(timeout: int, gap: int) -> None:
    assert allowed_gap(timedelta(seconds=timeout)) == timedelta(seconds=gap)


MOMENTS = st.integers(-300, 900)
SPANS = st.lists(st.tuples(MOMENTS, st.integers(0, 400)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8)


def longest_gap(spans: Spans, begin: float, end: float) -> float:
    """The longest stretch within [begin, end] that no span covers, in whole seconds: looked at second by second."""
    longest = run = 0
    for second in range(int(begin), int(end)):
        covered = any(start <= second and second + 1 <= stop for start, stop in spans)
        run = 0 if covered else run + 1
        longest = max(longest, run)
    return longest


@given(spans=SPANS, now=st.integers(0, 900), timeout=st.integers(2, 300))
def test_nobody_is_dead_over_a_gap_and_everybody_is_without_one(spans: Spans, now: int, timeout: int) -> None:
    allowed = max(10, timeout / 10)
    gap = longest_gap(spans, now - timeout, now)
    found = verdict(spans, now, timeout=timeout, heard=0)
    if now < timeout:
        assert found == Alive(at(timeout))
    elif gap > allowed:
        assert isinstance(found, Uncovered)
    elif longest_gap(spans, 0, now) <= allowed:
        assert found == Dead(at(0))


@given(spans=SPANS, timeout=st.integers(2, 300))
def test_whoever_stays_silent_under_full_coverage_is_dead_in_the_end(spans: Spans, timeout: int) -> None:
    now = 1000.0
    for _ in range(3):  # each look comes when the one before said
        found = verdict([*spans, (1000, now)], now, timeout=timeout)
        if isinstance(found, Dead):
            return
        now = ((found.look_at if isinstance(found, Uncovered) else found.until) - START).total_seconds()
    raise AssertionError("never found dead")


@given(spans=SPANS, now=st.integers(0, 900), timeout=st.integers(2, 300))
def test_a_look_is_never_asked_for_in_the_past(spans: Spans, now: int, timeout: int) -> None:
    found = verdict(spans, now, timeout=timeout)
    if isinstance(found, Uncovered):
        assert at(0) <= found.counts_from <= at(now) < found.look_at


def test_the_last_sign_is_the_latest_there_is() -> None:
    assert last_sign(None, at(3), at(1)) == at(3)
    assert last_sign(None, None) is None


def a_life(*, suspend: bool = False, incarnation: int | None = 1, deleting: bool = False) -> Supervisor:
    metadata = Metadata(name="work", deletion_timestamp=at(1) if deleting else None)
    return Supervisor(
        metadata=metadata, spec=SupervisorSpec(suspend=suspend), status=SupervisorStatus(incarnation=incarnation)
    )


@pytest.mark.parametrize("state", ContractState)
def test_only_a_contract_that_is_under_way_has_its_supervisor_watched(state: ContractState) -> None:
    expected = state.value in ("Created", "Active", "WaitingForInput", "Blocked", "Completing")
    assert is_watched(a_life(), with_status(active(), state=state)) is expected


@pytest.mark.parametrize(
    ("supervisor", "watched"),
    [
        (a_life(), True),
        (a_life(suspend=True), False),
        (a_life(incarnation=None), False),
        (a_life(incarnation=0), False),
        (a_life(deleting=True), False),
        (a_life().model_copy(update={"status": None}), False),
    ],
)
def test_a_suspended_or_unborn_supervisor_has_no_deadline(supervisor: Supervisor, watched: bool) -> None:
    assert is_watched(supervisor, active()) is watched


def test_a_contract_that_is_to_be_paused_or_not_accepted_has_none_either() -> None:
    assert not is_watched(a_life(), wanting(active(), suspend=True))
    assert not is_watched(a_life(), accepted().model_copy(update={"status": None}))
