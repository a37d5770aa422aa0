"""Validators of gates on a real API server: CEL answers, HTTP that can't be reached, and what failing means."""

from __future__ import annotations

import pytest

from tests.support.driven import Driven, phase

pytestmark = [pytest.mark.xdist_group("validators"), pytest.mark.usefixtures("operator")]


async def test_a_cel_validator_decides_over_the_contract(driven: Driven) -> None:
    expression = "contract.spec.description == 'ready' ? [] : ['Description: not ready']"
    gate = {"validator": {"cel": {"expression": expression}, "retrySeconds": 1}}
    await driven.started("cel", phase("one", "a", **gate), phase("two", "b"), description="draft")
    await driven.report("cel", "one/a")
    message = await driven.until_condition_with("cel", "Progressing", "Description: not ready")
    assert message.startswith("In phase one; missing:")
    await driven.admin.patch_spec("cel", description="ready")
    await driven.until("cel", lambda now: now["phase"] == "two")


FAILING = {
    "an expression that does not compile": {"cel": {"expression": "contract.("}},
    "an expression that raises": {"cel": {"expression": "contract.nothing.there"}},
    "an answer of the wrong type": {"cel": {"expression": "42"}},
    "a service that does not exist": {"http": {"service": "nobody-there"}},
    "a service without anybody behind it": {"http": {"service": "silent", "port": 80}},
    "a service outside of the cluster": {"http": {"service": "outside"}},
}


@pytest.mark.parametrize("case", FAILING)
async def test_a_validator_that_fails_keeps_the_gate_closed_and_says_why(driven: Driven, case: str) -> None:
    await driven.make_service("outside", {"type": "ExternalName", "externalName": "example.com"})
    await driven.make_service("silent", {"ports": [{"port": 80}]})
    name = f"fail-{abs(hash(case))}"
    gate = {"validator": {**FAILING[case], "timeoutSeconds": 1, "retrySeconds": 60}}
    await driven.started(name, phase("one", "a", **gate), phase("two", "b"))
    await driven.report(name, "one/a")
    message = await driven.until_condition_with(name, "Progressing", "validator")
    assert "missing: validator" in message
    await driven.until_events(name, "ValidatorFailed")
    assert (await driven.status(name))["phase"] == "one"


async def test_a_failing_validator_passes_where_failing_is_to_be_ignored(driven: Driven) -> None:
    gate = {"validator": {"http": {"service": "nobody-there"}, "failurePolicy": "Ignore", "timeoutSeconds": 1}}
    await driven.started("ignored", phase("one", "a", **gate), phase("two", "b"))
    await driven.report("ignored", "one/a")
    await driven.until("ignored", lambda now: now["phase"] == "two")
    await driven.until_events("ignored", "ValidatorFailed")
