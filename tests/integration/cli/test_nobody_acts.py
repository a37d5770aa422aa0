"""Contracts that stand still because nobody is there: no operator, or no supervisor but one that a person starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from makima.cli.contracts.exits import Exit
from makima.sandbox import Sandbox
from tests.integration.cli.test_lists_and_scopes import OLD, settle
from tests.support.command_line import Stage, stage
from tests.support.kube import an_object


@pytest.fixture
def alone(installed_cluster: Sandbox) -> Iterator[Stage]:
    """A namespace without an operator."""
    with stage(installed_cluster, "alone") as found:
        yield found


def test_a_contract_that_no_operator_accepts_is_not_healthy(alone: Stage) -> None:
    alone.create("new")
    done = alone.makima("vera", "health", "new", "--namespace", alone.namespace)
    assert done.code == Exit.ATTENTION
    assert "waits for the operator to accept it" in done.out and "→ makima doctor" in done.out
    shown = alone.makima("vera", "show", "new", "--namespace", alone.namespace).ok()
    assert "→ makima doctor" in shown.out.splitlines()[0]


def test_the_inbox_has_a_contract_whose_external_supervisor_died(alone: Stage) -> None:
    from makima.adapters.kubernetes.contracts import path_of

    alone.create("outside")
    settle(alone, "outside", states=("Active",))
    alone.do(
        lambda admin: admin.request(
            "POST", path_of("supervisors", alone.namespace), body=an_object("Supervisor", "outside", {})
        )
    )
    condition = {"type": "Alive", "status": "False", "reason": "TimedOut", "message": "Nothing was heard"}
    condition |= {"lastTransitionTime": OLD, "observedGeneration": 1}
    path = path_of("supervisors", alone.namespace, "outside", "status")
    status = {"incarnation": 1, "state": "Interrupted", "conditions": [condition]}
    body = alone.get("outside", "supervisors")
    alone.do(lambda admin: admin.request("PUT", path, body={**body, "status": status}))
    (letter,) = (
        alone.makima("vera", "inbox", "--namespace", alone.namespace, "--kind", "restart", "-o", "json").ok().json
    )
    assert letter["command"] == f"makima supervise --contract {alone.namespace}/outside -- COMMAND"
    assert letter["waitingFor"].startswith("its supervisor to come back")
