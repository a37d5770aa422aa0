"""A move that the operator refuses ends with what to do next, whichever command asked for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from makima.cli.contracts.advance import command as advance
from makima.cli.contracts.call import Ended
from makima.cli.contracts.confirm import command as confirm
from makima.cli.contracts.exits import Exit
from makima.errors import Denied
from makima.models.contract_spec import AdvanceRequest, RestartRequest
from makima.models.contract_status import AdvanceStatus, SupervisorReference
from makima.models.enums import AdvanceOutcome
from tests.support.builders import active, an_id, wanting, with_status
from tests.support.played_people import PlayedPeople, named

A, KEY = AdvanceOutcome, "default/work"
GOAL = AdvanceRequest(to="execute", expected_version=2)


class Refusing:
    """A cluster whose operator refuses the move that is asked for."""

    def __init__(self, outcome: AdvanceOutcome, message: str, *missing: str) -> None:
        told = AdvanceStatus(to="execute", expected_version=2, outcome=outcome, message=message, missing=missing)
        self.contract = with_status(active(), advance=told, observed_generation=9)

    async def get(self, *_: Any) -> dict[str, Any]:
        body = self.contract.model_dump(mode="json", by_alias=True, exclude_none=True)
        meta = {**body["metadata"], "uid": an_id(1), "generation": 9, "resourceVersion": "1"}
        wish = {"to": "execute", "expectedVersion": 2}
        return {**body, "metadata": meta, "spec": {**body["spec"], "advance": wish}}

    async def merge(self, *_: Any, **__: Any) -> dict[str, Any]:
        return await self.get()

    async def page(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"items": [await self.get()], "metadata": {"resourceVersion": "1"}}


SHOW = f"makima contracts show {KEY}"
LACKING = f"makima contracts complete-deliverable {KEY} plan-document; see all that is missing: {SHOW}"
TABLE: list[tuple[str, Refusing, Exit, str]] = [
    (
        "a deliverable",
        Refusing(A.VALIDATION_FAILED, "VALIDATION_FAILED: the gate", "1 tasks", "Deliverable: plan-document"),
        Exit.REFUSED,
        LACKING,
    ),
    (
        "tasks",
        Refusing(A.VALIDATION_FAILED, "VALIDATION_FAILED: the gate", "1 tasks incomplete"),
        Exit.REFUSED,
        f"see what is missing: {SHOW}",
    ),
    (
        "a version",
        Refusing(A.VERSION_CONFLICT, "VERSION_CONFLICT: expected 2, actual 3"),
        Exit.CONFLICT,
        f"somebody was faster: look again ({SHOW}), then ask for what is there now",
    ),
    (
        "a guard",
        Refusing(A.REQUIRES_CONFIRMATION, "PHASE_GUARD_REQUIRED: somebody"),
        Exit.REFUSED,
        f"look at the deliverables, then: makima contracts confirm {KEY}",
    ),
    (
        "a right",
        Refusing(A.UNAUTHORIZED, "UNAUTHORIZED: needs the verb confirm"),
        Exit.FORBIDDEN,
        "ask somebody who may, or an administrator for the role makima-confirm",
    ),
]


@pytest.mark.parametrize("command", [advance, confirm], ids=["advance", "confirm"])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_a_refused_move_says_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, command: Any, row: tuple[str, Refusing, Exit, str]
) -> None:
    _, cluster, code, following = row

    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=cluster, namespace="default")

    monkeypatch.setattr("makima.client.connect", connect)
    ended = CliRunner().invoke(command, ("work", "--expected-version", "2", "--timeout", "5s")).exception
    assert isinstance(ended, Ended)
    assert (ended.exit_code, ended.hint) == (code, following)
    assert ended.message.startswith(f"{KEY}: ")


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (f"advance {KEY}", KEY),
        ("advance work", "work"),
        ("advance work --namespace default", "work --namespace default"),
        ("pause work --context prod", "work --context prod"),
        ("complete-deliverable work plan-document", "work"),
    ],
)
def test_a_write_that_the_api_server_refuses_names_the_contract_as_it_was_called(words: str, about: str) -> None:
    there = PlayedPeople(named(active(), "work"))
    there.cluster.refuses = Denied("INVALID_TRANSITION: not from here", code="INVALID_TRANSITION", status=422)
    done = there.paste(f"kubectl contracts {words}")
    assert done.code == Exit.REFUSED
    assert f"next: see where it stands: kubectl contracts show {about}\n" in done.err


@pytest.mark.parametrize(
    ("words", "look"),
    [
        ("advance work", "see whether it runs: makima doctor; "),
        (
            "restart-supervisor work",
            "see whether it runs with supervisor_heartbeat on (off, nobody restarts supervisors): makima doctor; ",
        ),
    ],
)
def test_a_wish_that_nobody_acts_on_says_what_to_look_at(
    monkeypatch: pytest.MonkeyPatch, words: str, look: str
) -> None:
    monkeypatch.setattr("makima.cli.contracts.acting.PATIENCE", 0.05)
    carried = with_status(active(), supervisor_ref=SupervisorReference(name="work", uid=an_id(1), incarnation=1))
    wishes = {"restart_supervisor": RestartRequest(expected_incarnation=1), "advance": GOAL}
    done = PlayedPeople(named(wanting(carried, **wishes), "work")).paste(f"kubectl contracts {words}")
    assert done.code == Exit.TIMED_OUT
    assert f"next: {look}what you asked for stays" in done.err
