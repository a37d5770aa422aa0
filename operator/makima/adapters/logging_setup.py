"""The process's log: one line per record on stderr, as JSON for machines or as text for people.

What our code passes as `extra`, and which object kopf speaks of, become fields of the line. Values are cut, never
dumped whole: a log line is no place for an object.
"""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

QUIET = ("kopf", "aiohttp", "asyncio")
"""Libraries that tell more than a person wants to know, unless they debug."""

LONGEST_VALUE = 2048
LONGEST_TEXT = 16384
"""Characters of a field, and of a message or a traceback."""

OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else is a field that somebody passed."""

KOPF = frozenset({"k8s_ref", "k8s_skip", "settings"})
"""What kopf's ObjectLogger adds for itself: a reference, and whole objects of its own."""

Field = str | int | float | bool | None


class StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """Ours, so that it is found again when logging is configured a second time."""


class JsonLines(logging.Formatter):
    """One JSON object per line: ts (RFC 3339, UTC), level, logger, message, fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a field can't hide one of ours."""
        line: dict[str, Field] = {
            "ts": timestamp(record),
            "level": record.levelname,
            "logger": record.name,
            "message": message_of(record),
        }
        trace = traceback_of(self, record)
        known = line if trace is None else line | {"exception": trace}
        return json.dumps(known | {key: value for key, value in fields_of(record).items() if key not in known})


class TextLines(logging.Formatter):
    """One line per record; a traceback follows it, as people know them."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time, level, logger, message, key=value."""
        head = f"{timestamp(record)} {record.levelname:<7} {record.name}: {one_line(message_of(record))}"
        fields = "".join(f" {key}={one_line(str(value))}" for key, value in fields_of(record).items())
        trace = traceback_of(self, record)
        return f"{head}{fields}" if trace is None else f"{head}{fields}\n{trace}"


def configure_logging(format: str, level: str) -> None:  # noqa: A002  # the word of the configuration file
    """Log to stderr from now on, and nowhere else on the terminal; a second call replaces the first.

    Args:
        format: json, text, or auto (JSON unless stderr is a terminal).
        level: lowest level that is shown, for example INFO.

    Raises:
        ValueError: no such level.
    """
    as_json = format == "json" or (format == "auto" and not sys.stderr.isatty())
    handler = StderrHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers[:] = [other for other in root.handlers if not _writes_to_terminal(other)]
    root.addHandler(handler)
    for name in QUIET:
        _calm(logging.getLogger(name), root.level)


def _calm(logger: logging.Logger, level: int) -> None:
    logger.setLevel(logging.NOTSET if level <= logging.DEBUG else max(level, logging.WARNING))
    logger.propagate = True  # `kopf run` takes asyncio's warnings off


def _writes_to_terminal(handler: logging.Handler) -> bool:
    """`kopf run` installs a handler of its own before it loads ours; pytest's and files' are left alone."""
    if isinstance(handler, StderrHandler):
        return True
    return getattr(handler, "stream", None) in (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)


def timestamp(record: logging.LogRecord) -> str:
    """When it was logged: RFC 3339 in UTC, with milliseconds."""
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_of(record: logging.LogRecord) -> str:
    """The message; one whose arguments don't fit is shown as it was written, since a log must not raise."""
    try:
        return record.getMessage()[:LONGEST_TEXT]
    except Exception:  # whatever the argument's own __str__ raises
        return f"{record.msg!s} (its arguments don't fit)"[:LONGEST_TEXT]


def fields_of(record: logging.LogRecord) -> dict[str, Field]:
    """What was passed along with the message."""
    passed = {key: value for key, value in vars(record).items() if key not in OWN | KOPF}
    named = passed | _reference(getattr(record, "k8s_ref", None))
    return {str(key): _plain(value) for key, value in named.items()}


def _reference(ref: object) -> dict[str, object]:
    """kopf's reference to an object, in the words that our own messages use: uid joins the two."""
    if not isinstance(ref, Mapping):
        return {}
    return {key: ref[key] for key in ("kind", "namespace", "name", "uid") if ref.get(key) is not None}


def _plain(value: object) -> Field:
    """A value that JSON can hold, cut to a length that a line can hold."""
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    try:
        return str(value)[:LONGEST_VALUE]
    except Exception:  # a broken __str__ must not cost the message
        return f"<{type(value).__name__}>"


def traceback_of(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    """The exception as text, its end rather than its beginning if it is long; None where there is none."""
    if not record.exc_info or record.exc_info[0] is None:
        return None
    try:
        return formatter.formatException(record.exc_info)[-LONGEST_TEXT:]
    except Exception:  # an exception whose own text can't be made
        return record.exc_info[0].__name__


def one_line(text: str) -> str:
    """Line breaks and control characters written out: a line can't pretend to be two."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
