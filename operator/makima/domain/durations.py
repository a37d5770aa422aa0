"""Durations as people write and read them: `30m`, `7d`, `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""Seconds by unit, largest first."""

LONGEST = timedelta(days=36_500)

_PART = re.compile(r"([0-9]{1,9})([a-z])")


def parse_duration(text: str) -> timedelta:
    """`90s`, `30m`, `12h`, `7d`, `2w`, or several in a row (`1h30m`), each unit once, largest first.

    Raises:
        ValueError: it is none, or longer than `LONGEST`; says how to write one.
    """
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    known = [unit for unit in UNITS if unit in units]
    if not parts or "".join(number + unit for number, unit in parts) != text or units != known:
        raise ValueError(f"{text!r} is no duration; write for example 30m, 7d or 1h30m (units w, d, h, m, s)")
    seconds = sum(int(number) * UNITS[unit] for number, unit in parts)
    if seconds > LONGEST.total_seconds():  # compared as a number: a timedelta overflows not far above
        raise ValueError(f"{text!r} is longer than {LONGEST.days} days")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The two largest units that matter, as kubectl writes ages: `45s`, `12m`, `3h20m`, `5d4h`; never below `0s`."""
    seconds = max(0, int(duration.total_seconds()))
    small = {"m": 600, "h": 36_000, "d": 864_000}  # from here on the smaller unit says nothing
    for unit, smaller in (("d", "h"), ("h", "m"), ("m", "s")):
        size = UNITS[unit]
        if seconds < size:
            continue
        rest = seconds % size // UNITS[smaller]
        return f"{seconds // size}{unit}" + (f"{rest}{smaller}" if rest and seconds < small[unit] else "")
    return f"{seconds}s"
