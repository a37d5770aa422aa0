"""Why a call to the API service is refused: every error as the one problem that REST and the stream answer with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from makima.errors import (
    ClusterError,
    ClusterUnavailable,
    Conflict,
    Denied,
    HistoryUnavailable,
    MakimaError,
    NotFound,
    OutOfSequence,
    Superseded,
    ValuesRefused,
)
from makima.models.wire.problem import Code, Problem

RETRY_SECONDS = 2
"""When to come back where nothing better is known: Postgres and the API server restart in seconds."""

SHOWN = 300
"""Characters of an outside message that go into an answer."""

log = logging.getLogger(__name__)


class Refused(MakimaError):
    """The call gets this problem for an answer.

    Attributes:
        retry_after: seconds after which trying again makes sense; None where it does not by itself.
    """

    def __init__(self, problem: Problem, retry_after: int | None = None) -> None:
        super().__init__(f"{problem.code}: {problem.message}", problem.hint)
        self.problem, self.retry_after = problem, retry_after


def refusal(code: Code, message: str, *, field: str | None = None, hint: str | None = None, **details: Any) -> Refused:
    """A refusal with this code."""
    retry = RETRY_SECONDS if code in (Code.UNAVAILABLE, Code.SUPERVISOR_DEAD) else None
    return Refused(Problem(code=code, message=message, field=field, hint=hint, details=details), retry)


def unavailable(message: str, retry_after: int = RETRY_SECONDS) -> Refused:
    """Not now: nothing was stored, or nothing is known about it; making the call again is safe."""
    problem = Problem(
        code=Code.UNAVAILABLE,
        message=message,
        hint="make the same call again after the time in Retry-After",
        details={"retry_after_seconds": retry_after},
    )
    return Refused(problem, retry_after)


def superseded(current: int) -> Problem:
    """A newer life has begun."""
    error = Superseded(current)
    return Problem(code=Code.SUPERSEDED, message=error.message, hint=error.hint, details={"current": current})


def refused_by(error: Exception) -> Refused:
    """The refusal that any error becomes; one that nobody foresaw is logged whole and answered without a trace."""
    match error:
        case Refused():
            found = error
        case Superseded():
            found = Refused(superseded(error.current))
        case OutOfSequence():
            found = refusal(Code.CONFLICT, error.message, hint=error.hint, last=error.last)
        case HistoryUnavailable():
            log.warning("Postgres: %s", error.message)
            found = unavailable("Postgres can't be used at the moment")
        case ValuesRefused():
            found = refusal(Code.VALIDATION_FAILED, error.message[:SHOWN], hint=error.hint)
        case ValidationError():
            found = invalid(error)
        case ClusterError():
            found = _by_cluster(error)
        case _:
            found = unexpected(error)
    return found


def unexpected(error: BaseException) -> Refused:
    """INTERNAL: the trace goes into the log, not into the answer."""
    log.error("unexpected error", exc_info=error)
    return refusal(
        Code.INTERNAL,
        "an error that nobody foresaw; the log of the API service has it",
        hint="making the call again is safe; report it if it stays",
    )


def _by_cluster(error: ClusterError) -> Refused:
    match error:
        case ClusterUnavailable():
            log.warning("API server: %s", error.message)
            return unavailable("the Kubernetes API server can't be used at the moment")
        case Conflict():
            return unavailable("the contract changes too fast to be written", 1)
        case NotFound():
            return refusal(Code.NOT_FOUND, error.message[:SHOWN], hint=error.hint)
        case Denied(code=code) if code in Code.__members__:
            return refusal(Code[code], error.message[:SHOWN], hint=error.hint)
        case _:
            log.error("the API server refused a write of makima's own: %s", error)
            return refusal(
                Code.UNAVAILABLE,
                f"the API server refused the write: {error.message[:SHOWN]}",
                hint="an administrator has to look at the account makima-api and at the policies",
            )


def invalid(error: ValidationError) -> Refused:
    """VALIDATION_FAILED with the first thing that is wrong, and all others in the details."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return invalid_fields(found)


def invalid_fields(found: list[Any], *, drop: Sequence[str] = ()) -> Refused:
    """The same for a list of pydantic's findings; `drop` are first parts of places that callers don't know."""
    wrong = [_not_json(item) or _wrong(item, drop) for item in found[:16]]
    first: Mapping[str, str] = wrong[0] if wrong else {"field": "", "message": "the body can't be read"}
    where = f"{first['field']}: " if first["field"] else ""
    return refusal(
        Code.VALIDATION_FAILED,
        f"{where}{first['message']}",
        field=first["field"] or None,
        hint="see /openapi.json for what the call takes",
        errors=wrong,
    )


def _wrong(item: Mapping[str, Any], drop: Sequence[str]) -> dict[str, str]:
    return {"field": _place(item["loc"], drop), "message": _text(item)}


def _not_json(item: Mapping[str, Any]) -> dict[str, str] | None:
    """What FastAPI finds before any field: its place is a character of the body. pydantic says its own in words."""
    if item["type"] != "json_invalid" or not item["loc"]:
        return None
    error = item.get("ctx", {}).get("error", "it can't be read")
    return {"field": "", "message": f"the body is not JSON: {error} (character {item['loc'][-1]})"[:SHOWN]}


def _place(location: tuple[Any, ...], drop: Sequence[str]) -> str:
    parts = [str(part) for part in location]
    return ".".join(parts[1:] if parts and parts[0] in drop else parts)


def _text(item: Mapping[str, Any]) -> str:
    return str(item["msg"]).removeprefix("Value error, ")[:SHOWN]
