"""Durations as people write and read them."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.domain.durations import format_duration, parse_duration

SECONDS = {"45s": 45, "30m": 1800, "7d": 604_800, "2w": 1_209_600, "1h30m": 5400, "1d12h5m6s": 129_906, "0s": 0}


@pytest.mark.parametrize(("text", "seconds"), SECONDS.items())
def test_what_is_a_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "30", "m", "-5m", "1.5h", "5 m", "30m1h", "1h1h", "5y", "1h ", "٣m", "99999999w", "7D"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="duration|longer"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36500d", "36499d24h", "876000h"])
def test_a_century_is_the_longest(text: str) -> None:
    assert parse_duration(text) == timedelta(days=36_500)


@pytest.mark.parametrize(
    "text", ["36500d1s", "36501d", "999999999w", "999999999d", "999999999w999999999d999999999h999999999m999999999s"]
)
def test_what_is_too_long_says_so_however_long_it_is(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is longer than 36500 days"):
        parse_duration(text)


@given(st.text(alphabet="0123456789wdhms", max_size=40))
def test_any_text_of_numbers_and_units_is_a_duration_or_says_how_to_write_one(text: str) -> None:
    with suppress(ValueError):
        assert timedelta(0) <= parse_duration(text) <= timedelta(days=36_500)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_says_how_to_write_one(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta(0)


SHOWN = {0: "0s", 59: "59s", 60: "1m", 90: "1m30s", 599: "9m59s", 600: "10m", 661: "11m", 3600: "1h", 12_000: "3h20m"}
SHOWN |= {36_000: "10h", 90_000: "1d1h", 864_000: "10d", 900_000: "10d", -5: "0s"}


@pytest.mark.parametrize(("seconds", "text"), SHOWN.items())
def test_how_durations_are_shown(seconds: int, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_shown_is_read_again_and_is_no_longer_than_it_was(seconds: int) -> None:
    again = parse_duration(format_duration(timedelta(seconds=seconds)))
    assert timedelta(seconds=seconds) * 0.85 - timedelta(seconds=1) <= again <= timedelta(seconds=seconds)
