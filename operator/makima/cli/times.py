"""Times as every command writes them in text: RFC 3339 in UTC, as kubectl and the cluster do, so none needs a zone."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(moment: datetime | str, timespec: str = "seconds") -> str:
    """`2026-03-02T14:00:00Z`.

    Args:
        moment: also as a program wrote it; a text that is no time stays as it is, one without a zone is UTC already.
        timespec: `milliseconds` where the order within a second matters.
    """
    if isinstance(moment, str):
        try:
            read = datetime.fromisoformat(moment)
        except ValueError:
            return moment
        moment = read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec) + "Z"
