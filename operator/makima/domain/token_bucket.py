"""How often something may happen in a whole fleet: a token bucket as a value, so that time can be virtual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, and so many at once after a rest."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left at a moment. Less than nothing: that much is owed, and those who wait are that many."""

    tokens: float
    at: datetime


def filled(bucket: Bucket, rate: Rate, now: datetime) -> Bucket:
    """The bucket at `now`; a clock that went back adds nothing."""
    if now <= bucket.at:
        return bucket
    grown = bucket.tokens + (now - bucket.at).total_seconds() * rate.per_second
    return Bucket(min(rate.burst, grown), now)


def take(bucket: Bucket, rate: Rate, now: datetime) -> tuple[Bucket, datetime]:
    """Take a token, on credit if there is none.

    Returns:
        The bucket after it, and the moment from which on the taker may go: `now`, or when its token has come.
    """
    left = filled(bucket, rate, now)
    tokens = left.tokens - 1
    owed = max(0.0, -tokens)
    return Bucket(tokens, left.at), max(now, left.at) + timedelta(seconds=owed / rate.per_second)
