"""What the API server's answers mean to us: by status, and by the plan's code in a policy's message."""

from __future__ import annotations

import json

import pytest

from makima.adapters.kubernetes.failures import denied, failure_of
from makima.errors import ClusterError, ClusterUnavailable, Conflict, Denied, Expired, NotFound


def answer(reason: str, message: str) -> bytes:
    return json.dumps({"kind": "Status", "status": "Failure", "reason": reason, "message": message}).encode()


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (400, "BadRequest", Denied),
        (401, "Unauthorized", Denied),
        (403, "Forbidden", Denied),
        (404, "NotFound", NotFound),
        (409, "Conflict", Conflict),
        (409, "AlreadyExists", Conflict),
        (410, "Expired", Expired),
        (413, "RequestEntityTooLarge", Denied),
        (422, "Invalid", Denied),
        (429, "TooManyRequests", ClusterUnavailable),
        (500, "InternalError", ClusterUnavailable),
        (502, "", ClusterUnavailable),
        (503, "ServiceUnavailable", ClusterUnavailable),
        (504, "Timeout", ClusterUnavailable),
    ],
)
def test_each_status_has_its_error(status: int, reason: str, expected: type[ClusterError]) -> None:
    error = failure_of(status, answer(reason, "said so"), "GET /x")
    assert type(error) is expected
    assert "said so" in str(error)


def invalid(message: str, *causes: str) -> bytes:
    details = {"kind": "Contract", "causes": [{"reason": cause} for cause in causes]} if causes else {}
    return json.dumps({"reason": "Invalid", "message": message, "details": details}).encode()


def test_a_json_patch_that_does_not_fit_any_more_is_a_conflict() -> None:
    payload = invalid("the server rejected our request due to an error in our request")
    assert type(failure_of(422, payload, "PATCH /x")) is Conflict


@pytest.mark.parametrize(
    ("causes", "grown"),
    [
        (["FieldValueDuplicate"], True),
        (["FieldValueTypeInvalid", "FieldValueTooMany"], True),
        (["FieldValueInvalid"], False),
        ([], False),
    ],
)
def test_a_list_that_grew_meanwhile_is_told(causes: list[str], grown: bool) -> None:
    error = failure_of(422, invalid("spec.answers[1]: Duplicate value", *causes), "PATCH /x")
    assert isinstance(error, Denied) and error.grown is grown


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b'{"message": ""}'])
def test_without_a_message_the_call_is_named(payload: bytes) -> None:
    assert "PUT /status: HTTP 409" in str(failure_of(409, payload, "PUT /status"))


def test_an_answer_that_is_no_json_is_shown_cut() -> None:
    text = str(failure_of(502, b"<html>\xff" + b"x" * 9999, "GET /x"))
    assert "<html>" in text
    assert len(text) < 700


def test_unknown_credentials_come_with_what_to_do() -> None:
    error = failure_of(401, answer("Unauthorized", "Unauthorized"), "GET /x")
    assert error.hint is not None
    assert "kubeconfig" in error.hint


@pytest.mark.parametrize(
    ("message", "code", "shown"),
    [
        (
            "contracts \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: INVALID_TRANSITION: not here",
            "INVALID_TRANSITION",
            "INVALID_TRANSITION: not here",
        ),
        (
            'Contract.makima.dev "a" is invalid: status.version: Invalid value: "object": VERSION_CONFLICT: by 1 only',
            "VERSION_CONFLICT",
            "VERSION_CONFLICT: by 1 only",
        ),
        ("denied request: UNAUTHORIZED: not yours", "UNAUTHORIZED", "UNAUTHORIZED: not yours"),
        ('contracts.makima.dev "a" is forbidden: User "u" cannot update', "", 'contracts.makima.dev "a" is forbidden'),
        ("ERROR: no code of the plan", "", "ERROR: no code"),
    ],
)
def test_the_plans_code_is_found_in_a_message(message: str, code: str, shown: str) -> None:
    error = denied(message)
    assert error.code == code
    assert str(error).startswith(shown)


SCHEMA = 'Contract.makima.dev "a" is invalid: '
REST = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid;"
    " correct the existing errors to complete validation"
)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"{SCHEMA}[spec.a: Too long, {REST}]", f"{SCHEMA}spec.a: Too long"),
        (
            f"{SCHEMA}[spec.a: Too long, spec.b: Required value, {REST}]",
            f"{SCHEMA}spec.a: Too long, spec.b: Required value",
        ),
        (
            f"{SCHEMA}[spec.a[1]: Duplicate value, spec.a: Invalid value: VALIDATION_FAILED: twice]",
            "VALIDATION_FAILED: twice",
        ),
        (f'{SCHEMA}spec.a: Unsupported value: "[x]"', f'{SCHEMA}spec.a: Unsupported value: "[x]"'),
        (f"{SCHEMA}spec.a: VALIDATION_FAILED: one of [x]", "VALIDATION_FAILED: one of [x]"),
    ],
)
def test_a_list_of_what_is_wrong_is_told_without_its_brackets_and_what_nobody_can_mend(
    message: str, shown: str
) -> None:
    assert str(denied(message, 422)) == shown
