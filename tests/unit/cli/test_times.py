"""Times in text say that they are UTC, and are, whatever zone they came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from makima.cli.times import utc

AT = datetime(2026, 3, 2, 14, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [
        AT,
        AT.astimezone(timezone(timedelta(hours=-5))),
        "2026-03-02T14:00:00.123456Z",
        "2026-03-02T15:00:00.123456+01:00",
        "2026-03-02T14:00:00.123456",
    ],
)
def test_a_time_is_rfc_3339_in_utc(moment: datetime | str) -> None:
    assert utc(moment) == "2026-03-02T14:00:00Z"
    assert utc(moment, "milliseconds") == "2026-03-02T14:00:00.123Z"


@pytest.mark.parametrize("text", ["", "soon"])
def test_what_is_no_time_stays_as_it_is(text: str) -> None:
    assert utc(text) == text
