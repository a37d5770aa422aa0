"""Exit codes tell scripts what happened."""

from __future__ import annotations

import pytest

from makima.cli.contracts.exits import BY_CODE, MEANING, Exit, exit_of
from makima.client.api import ApiError, api_error, unreachable
from makima.client.finding import ContractNotFound
from makima.errors import ClusterUnavailable, Conflict, Denied, MakimaError, NotFound
from makima.models.wire.problem import Code

TABLE: list[tuple[MakimaError, Exit]] = [
    (NotFound("gone"), Exit.NOT_FOUND),
    (ContractNotFound("a/b", "look"), Exit.NOT_FOUND),
    (Denied("no", status=403), Exit.FORBIDDEN),
    (Denied("who?", status=401), Exit.FORBIDDEN),
    (Denied("UNAUTHORIZED: no", code="UNAUTHORIZED", status=403), Exit.FORBIDDEN),
    (Denied("VERSION_CONFLICT: 2", code="VERSION_CONFLICT", status=422), Exit.CONFLICT),
    (Denied("PHASE_GUARD_REQUIRED: look", code="PHASE_GUARD_REQUIRED", status=422), Exit.REFUSED),
    (Denied("spec.type: too long", status=422), Exit.REFUSED),
    (Conflict("changed"), Exit.CONFLICT),
    (ClusterUnavailable("away"), Exit.UNAVAILABLE),
    (unreachable("there", "nobody"), Exit.UNAVAILABLE),
    (ApiError("FORBIDDEN: no", code="FORBIDDEN", status=403), Exit.FORBIDDEN),
    (MakimaError("something"), Exit.FAILED),
]


@pytest.mark.parametrize(("error", "expected"), TABLE, ids=lambda value: str(value)[:30])
def test_the_exit_code_of_an_error(error: MakimaError, expected: Exit) -> None:
    assert exit_of(error) is expected


def test_every_code_of_the_api_has_an_exit_code_and_every_exit_code_a_meaning() -> None:
    assert {code.value for code in Code} <= set(BY_CODE)
    assert set(MEANING) == set(Exit)


ANSWERS: list[tuple[int, bytes, str, str]] = [
    (409, b'{"error": {"code": "VERSION_CONFLICT", "message": "m", "hint": "h"}}', "VERSION_CONFLICT", "ApiError"),
    (403, b'{"kind": "Status", "message": "users cannot get"}', "FORBIDDEN", "ApiError"),
    (401, b"", "UNAUTHENTICATED", "ApiError"),
    (404, b"404 page not found", "", "ApiUnreachable"),
    (503, b'{"kind": "Status", "message": "service unavailable"}', "", "ApiUnreachable"),
    (502, b"<html>", "", "ApiUnreachable"),
    (418, b"\xff", "", "ApiError"),
]


@pytest.mark.parametrize(("status", "payload", "code", "kind"), ANSWERS)
def test_the_error_in_an_answer_whoever_gave_it(status: int, payload: bytes, code: str, kind: str) -> None:
    found = api_error(status, payload, "there")
    assert (found.code, type(found).__name__) == (code, kind)
