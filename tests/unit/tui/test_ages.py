"""How long ago, in a few characters."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from makima.tui.ages import age, ago, span_words, when
from tests.support.monitor_contracts import NOW


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (0, "0s", "0 seconds ago"),
        (1, "1s", "1 second ago"),
        (59.9, "59s", "59 seconds ago"),
        (60, "1m", "1 minute ago"),
        (3599, "59m", "59 minutes ago"),
        (3900, "1h05", "1 hour 5 minutes ago"),
        (35999, "9h59", "9 hours 59 minutes ago"),
        (36000, "10h", "10 hours ago"),
        (2 * 86400 - 1, "47h", "1 day 23 hours ago"),
        (5 * 86400, "5d", "5 days ago"),
        (-30, "0s", "0 seconds ago"),
    ],
)
def test_an_age_is_short_in_a_table_and_words_in_a_sentence(seconds: float, short: str, long: str) -> None:
    moment = NOW - timedelta(seconds=seconds)
    assert age(moment, NOW) == short
    assert ago(moment, NOW) == long


def test_what_never_was_has_no_age() -> None:
    assert (age(None, NOW), ago(None, NOW)) == ("–", "never")


def test_an_age_of_three_years_has_five_characters_at_most() -> None:
    assert all(len(age(NOW - timedelta(minutes=m), NOW)) <= 5 for m in range(0, 3 * 365 * 24 * 60, 997))
    assert span_words(3600) == "1 hour"


def test_an_event_of_another_day_has_its_date() -> None:
    now = datetime(2026, 3, 2, 14, 0).astimezone()  # the person's own time zone is the point
    assert when(now - timedelta(hours=1), now) == "13:00:00"
    assert when(now - timedelta(days=1), now) == "01 Mar 14:00"
