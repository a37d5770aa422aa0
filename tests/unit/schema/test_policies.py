"""The admission policies as data: they deny, they answer with the plan's codes, and nobody holds more than needed."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.states import TRANSITIONS
from makima.schema.admission import fill_in, policy_names, render_policies
from makima.schema.rbac import API_SERVICE, OPERATOR, render_rbac
from tests.support.api_rules import TABLE

POLICIES = {item["metadata"]["name"]: item["spec"] for item in render_policies() if item["kind"].endswith("Policy")}
BINDINGS = [item["spec"] for item in render_policies() if item["kind"].endswith("Binding")]
CODES = (
    "INVALID_DELIVERABLE",
    "INVALID_TRANSITION",
    "PHASE_GUARD_REQUIRED",
    "UNAUTHORIZED",
    "VALIDATION_FAILED",
    "VERSION_CONFLICT",
)
ROLES = {item["metadata"]["name"]: item["rules"] for item in render_rbac() if item["kind"] == "ClusterRole"}


def test_every_policy_is_bound_and_denies() -> None:
    assert {binding["policyName"] for binding in BINDINGS} == set(policy_names()) == set(POLICIES)
    for binding in BINDINGS:
        assert binding["validationActions"] == ["Deny"]
        assert set(binding) == {"policyName", "validationActions"}, "bound for everybody, everywhere"


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_can_not_be_evaluated_denies(name: str) -> None:
    assert POLICIES[name]["failurePolicy"] == "Fail"


@pytest.mark.parametrize("name", POLICIES)
def test_every_answer_begins_with_a_code_of_the_plan(name: str) -> None:
    for validation in POLICIES[name]["validations"]:
        message = validation.get("message") or validation["messageExpression"].lstrip("'")
        assert message.startswith(CODES), message
        assert (validation.get("reason") == "Forbidden") == message.startswith("UNAUTHORIZED"), message


def test_what_a_policy_asks_for_has_to_be_known() -> None:
    assert fill_in("x in ${RUNNING}") == "x in ['Active', 'WaitingForInput', 'Blocked']"
    with pytest.raises(KeyError):
        fill_in("${NONSENSE}")


def test_nothing_is_left_to_fill_in() -> None:
    assert "${" not in str(render_policies())


def test_the_state_table_is_the_one_of_the_design() -> None:
    assert {old.value: {new.value for new in after} for old, after in TRANSITIONS.items()} == {
        old: set(after.split()) for old, after in TABLE.items()
    }


def verbs_of(role: str, resource: str) -> set[str]:
    return {verb for rule in ROLES[role] if resource in rule["resources"] for verb in rule["verbs"]}


def test_only_operator_and_api_service_write_a_status_and_nothing_else_of_a_contract() -> None:
    ours = {OPERATOR, API_SERVICE}
    assert {role for role in ROLES if verbs_of(role, "contracts/status") & {"update", "patch"}} == ours
    for role in ours:
        assert not verbs_of(role, "contracts") & {"create", "update", "patch", "confirm", "supervise", "batch"}
        assert not any(verb in rule["verbs"] for rule in ROLES[role] for verb in ("*", "impersonate", "escalate"))


def test_the_api_service_touches_no_pod_no_secret_and_no_supervisor() -> None:
    assert verbs_of(API_SERVICE, "supervisors") == {"get"}
    assert not any(verbs_of(API_SERVICE, kind) for kind in ("pods", "secrets", "jobs", "supervisors/status"))


def test_only_confirmers_and_admins_confirm() -> None:
    assert {role for role in ROLES if "confirm" in verbs_of(role, "contracts")} == {"makima-confirm", "makima-admin"}
