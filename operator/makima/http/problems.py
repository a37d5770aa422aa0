"""Errors as answers: one envelope for everything."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from makima.errors import MakimaError
from makima.models.wire.problem import Code, ErrorEnvelope, Problem
from makima.services.refusals import Refused, invalid_fields, refusal, refused_by

JSON = "application/json"

DOCUMENT = "see /openapi.json"
OWN = "/supervisor/"
OF_SUPERVISORS = f"{DOCUMENT}; what a supervisor sends has the UID of its contract in the path, not namespace:name"

PARTS = ("body", "query", "path", "header")
"""Where the framework found a field: callers know its name only."""

BY_STATUS = {
    401: Code.UNAUTHENTICATED,
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    413: Code.TOO_LARGE,
    503: Code.UNAVAILABLE,
}


def too_large(limit: int) -> Refused:
    """The body is longer than the call takes."""
    return refusal(
        Code.TOO_LARGE, f"the body is longer than {limit} bytes", hint="send less, or in several calls", limit=limit
    )


def rendered(error: Exception) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Status, body and extra headers of the answer to a call that failed so."""
    refused = refused_by(error)
    headers = []
    if refused.retry_after is not None:
        headers.append(("retry-after", str(refused.retry_after)))
    if refused.problem.code is Code.UNAUTHENTICATED:
        headers.append(("www-authenticate", "Bearer"))
    return refused.problem.code.http_status, envelope(refused.problem), headers


def envelope(problem: Problem) -> bytes:
    """The body of an error answer."""
    return ErrorEnvelope(error=problem).model_dump_json(exclude_none=True).encode()


def answer(error: Exception) -> Response:
    """The same for the framework."""
    status, body, headers = rendered(error)
    return Response(body, status, dict(headers), JSON)


def install(app: FastAPI) -> None:
    """Have every error that can be foreseen answered so, those of the framework itself included."""

    async def ours(_: Request, error: Exception) -> Response:
        return answer(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(invalid_fields(list(error.errors()), drop=PARTS))

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _framework(request, error)

    async def unforeseen(_: Request, error: Exception) -> Response:
        raise error  # past the framework's own answer, which is plain text: `makima.http.app.Guarded` answers, and logs

    app.add_exception_handler(Exception, unforeseen)
    app.add_exception_handler(MakimaError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, framework)


def _framework(request: Request, error: HTTPException) -> Response:
    path = request.url.path[:256]
    if error.status_code == 405:  # the list of codes is closed, and each has one status: there is no such call
        allowed = (error.headers or {}).get("Allow", "")
        hint = f"it takes {allowed}, and perhaps others: {DOCUMENT}" if allowed else DOCUMENT
        return answer(refusal(Code.NOT_FOUND, f"{path} does not take {request.method}", hint=hint))
    if error.status_code == 404:
        return answer(refusal(Code.NOT_FOUND, f"there is no {path}", hint=OF_SUPERVISORS if OWN in path else DOCUMENT))
    code = BY_STATUS.get(error.status_code, Code.VALIDATION_FAILED)
    return answer(refusal(code, "the body is not readable as JSON in UTF-8", hint=DOCUMENT))
