"""Exit codes of `makima contracts …`: what a script can tell from them. They are part of the interface."""

from __future__ import annotations

from enum import IntEnum

from makima.errors import ClusterUnavailable, Conflict, Denied, HistoryUnavailable, MakimaError, NotFound


class Exit(IntEnum):
    """What became of the command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    FORBIDDEN = 4
    CONFLICT = 5
    TIMED_OUT = 6
    UNHEALTHY = 7
    ATTENTION = 8
    REFUSED = 9
    UNAVAILABLE = 10
    INTERRUPTED = 130


MEANING = {
    Exit.DONE: "done, or nothing had to be done; of `health`: healthy",
    Exit.FAILED: "something else went wrong; the message says what",
    Exit.USAGE: "the command line is wrong",
    Exit.NOT_FOUND: "there is no such contract, supervisor or question, as far as you may see",
    Exit.FORBIDDEN: "you may not do that, or are not known",
    Exit.CONFLICT: "the contract has changed meanwhile (`VERSION_CONFLICT`): look again",
    Exit.TIMED_OUT: "`--timeout` is over; what was written stays written",
    Exit.UNHEALTHY: "of `health`: at least one contract is not well",
    Exit.ATTENTION: "of `health`: nothing is broken, but a person is waited for; of `confirm`: nobody was there to ask",
    Exit.REFUSED: "a rule forbids it (`PHASE_GUARD_REQUIRED`, `VALIDATION_FAILED`, `INVALID_TRANSITION`, …)",
    Exit.UNAVAILABLE: "the API server, or makima's API where it is needed, does not answer",
    Exit.INTERRUPTED: "interrupted",
}

BY_CODE = {
    "CONTRACT_NOT_FOUND": Exit.NOT_FOUND,
    "SUPERVISOR_NOT_FOUND": Exit.NOT_FOUND,
    "NOT_FOUND": Exit.NOT_FOUND,
    "UNAUTHORIZED": Exit.FORBIDDEN,
    "FORBIDDEN": Exit.FORBIDDEN,
    "UNAUTHENTICATED": Exit.FORBIDDEN,
    "VERSION_CONFLICT": Exit.CONFLICT,
    "CONFLICT": Exit.CONFLICT,
    "SUPERSEDED": Exit.CONFLICT,
    "PHASE_GUARD_REQUIRED": Exit.REFUSED,
    "VALIDATION_FAILED": Exit.REFUSED,
    "INVALID_TRANSITION": Exit.REFUSED,
    "INVALID_DELIVERABLE": Exit.REFUSED,
    "TOO_LARGE": Exit.REFUSED,
    "SUPERVISOR_DEAD": Exit.UNAVAILABLE,
    "UNAVAILABLE": Exit.UNAVAILABLE,
    "INTERNAL": Exit.UNAVAILABLE,
}
"""The plan's codes, and ours."""

BY_STATUS = {401: Exit.FORBIDDEN, 403: Exit.FORBIDDEN, 400: Exit.REFUSED, 413: Exit.REFUSED, 422: Exit.REFUSED}

VALIDATION_FAILED = "VALIDATION_FAILED"


def is_against_the_schema(error: MakimaError) -> bool:
    """Whether the API server refuses the object by the CRD's schema alone, which knows no codes: a text too long."""
    return isinstance(error, Denied) and error.status == 422 and not error.code


def words_of(error: MakimaError) -> str:
    """What went wrong, with the plan's code first where there is one for it."""
    return f"{VALIDATION_FAILED}: {error.message}" if is_against_the_schema(error) else error.message


def code_of(error: MakimaError) -> str:
    """The plan's code of an error; "" where it has none."""
    if is_against_the_schema(error):
        return VALIDATION_FAILED
    found = getattr(error, "code", "") or error.message.partition(":")[0]
    return found if found in BY_CODE else ""


def exit_of(error: MakimaError) -> Exit:
    """The exit code that an error ends the command with."""
    by_code = BY_CODE.get(code_of(error))
    if by_code is not None:
        return by_code
    match error:
        case NotFound():
            return Exit.NOT_FOUND
        case Conflict():
            return Exit.CONFLICT
        case ClusterUnavailable() | HistoryUnavailable():
            return Exit.UNAVAILABLE
        case Denied(status=status):
            return BY_STATUS.get(status, Exit.FAILED)
        case _:
            return Exit.UNAVAILABLE if type(error).__name__ in ("ApiUnreachable", "NoCluster") else Exit.FAILED
