"""How long ago, in a few characters. `now` is passed in: a picture of the same moment is always the same."""

from __future__ import annotations

from datetime import datetime

NEVER = "–"
MINUTE, HOUR, DAY = 60, 3600, 86400


def seconds_since(moment: datetime, now: datetime) -> int:
    """Whole seconds; a moment in the future (clocks differ) is now."""
    return max(0, int((now - moment).total_seconds()))


def age(moment: datetime | None, now: datetime) -> str:
    """`8s`, `12m`, `3h05`, `14h`, `5d`: at most five characters for three years."""
    return NEVER if moment is None else span(seconds_since(moment, now))


def span(seconds: int) -> str:
    """A length of time in the same way."""
    if seconds < MINUTE:
        return f"{seconds}s"
    if seconds < HOUR:
        return f"{seconds // MINUTE}m"
    if seconds < 10 * HOUR:
        return f"{seconds // HOUR}h{seconds % HOUR // MINUTE:02}"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR}h"
    return f"{seconds // DAY}d"


def ago(moment: datetime | None, now: datetime) -> str:
    """The same for a sentence: `8 seconds ago`, `never`."""
    return "never" if moment is None else f"{span_words(seconds_since(moment, now))} ago"


def span_words(seconds: int) -> str:
    """A length of time for a sentence: its two largest units at most."""
    for size, unit, smaller, small_unit in (
        (DAY, "day", HOUR, "hour"),
        (HOUR, "hour", MINUTE, "minute"),
        (MINUTE, "minute", 0, ""),
    ):
        if seconds >= size:
            rest = seconds % size // smaller if smaller else 0
            return _count(seconds // size, unit) + (f" {_count(rest, small_unit)}" if rest else "")
    return _count(seconds, "second")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def clock(moment: datetime) -> str:
    """The time of day, in the person's own time zone."""
    return f"{moment.astimezone():%H:%M:%S}"


def when(moment: datetime, now: datetime) -> str:
    """The time of day, in the person's own time zone; of another day the date as well."""
    local, today = moment.astimezone(), now.astimezone()
    return clock(moment) if local.date() == today.date() else f"{local:%d %b %H:%M}"
