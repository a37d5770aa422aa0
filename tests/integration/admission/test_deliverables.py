"""Deliverables: those that a phase has, and once there, there for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from makima.adapters.kubernetes.connection import Connection
from tests.support.kube import (
    Attempt,
    Body,
    Cast,
    Person,
    an_object,
    assert_create_refused,
    assert_refused,
    bind,
    changed,
    completed,
    contract,
)

PLAN = {"phase": "plan", "id": "plan-document"}
UNKNOWN: Mapping[str, tuple[Body, tuple[str, ...]]] = {
    "an id that no phase has": ({"phase": "plan", "id": "novel"}, ("plan/novel", "phase plan has plan-document")),
    "an id of another phase": ({"phase": "plan", "id": "pull-request"}, ("plan/pull-request", "plan-document")),
    "a phase that there is not": ({"phase": "paint", "id": "plan-document"}, ("the phases are plan, execute",)),
}

Write = Callable[[Person, Body, Body], Awaitable[Any]]


async def _merge(who: Person, body: Body, entry: Body) -> None:
    await who.patch_spec(deliverables=[PLAN, entry])


async def _put(who: Person, body: Body, entry: Body) -> None:
    await who.replace({**body, "spec": {**body["spec"], "deliverables": [entry]}})


async def _apply(who: Person, body: Body, entry: Body) -> None:
    await who.apply(contract(deliverables=[entry]))


async def _json(who: Person, body: Body, entry: Body) -> None:
    await who.json_patch([{"op": "add", "path": "/spec/deliverables", "value": [entry]}])


@pytest.mark.parametrize("what", UNKNOWN)
async def test_no_way_of_writing_reports_a_deliverable_that_the_phase_does_not_have(people: Cast, what: str) -> None:
    await people.accepted()
    entry, says = UNKNOWN[what]
    ways: tuple[Write, ...] = (_merge, _put, _apply, _json)
    for way in ways:
        attempt = Attempt(
            f"{what} ({way.__name__})", lambda who, body, way=way: way(who, body, entry), "INVALID_DELIVERABLE", says
        )
        await assert_refused(attempt, people.three)


@pytest.mark.parametrize("what", UNKNOWN)
async def test_no_status_says_that_a_deliverable_is_there_which_the_phase_does_not_have(
    people: Cast, what: str
) -> None:
    await people.accepted()
    entry = UNKNOWN[what][0]

    async def put(who: Person, body: Body) -> None:
        await who.put_status(changed(body, deliverables=[completed(entry["phase"], entry["id"])]))

    says = (f"{entry['phase']}/{entry['id']} is no deliverable of this contract",)
    await assert_refused(Attempt(what, put, "INVALID_DELIVERABLE", says), people.everyone)


async def test_how_many_more_are_wrong_is_said(people: Cast) -> None:
    await people.accepted()
    wrong = [{"phase": "plan", "id": identifier} for identifier in ("a", "b", "c")]
    attempt = Attempt("three", lambda who, body: who.patch_spec(deliverables=wrong), "INVALID_DELIVERABLE")
    await assert_refused(attempt.saying("plan/a and 2 more"), people.three)


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "simple"},
        {"type": "specification"},
        {},
        {"type": "anything", "phases": [{"name": "dig", "deliverables": [{"id": "hole"}]}, {"name": "rest"}]},
        {"phases": [{"name": "rest"}]},
    ],
    ids=["simple", "specification", "default", "own phases", "no deliverables"],
)
async def test_a_contract_is_not_created_with_a_deliverable_that_its_phases_do_not_have(
    admin: Connection, people: Cast, spec: Body
) -> None:
    await bind(admin, people.supervisor, "makima-edit", ("create", "makima.dev", "contracts"))
    for entry in ({"phase": "plan", "id": "novel"}, {"phase": "rest", "id": "novel"}):
        body = contract(**spec, deliverables=[entry])
        await assert_create_refused(body, "INVALID_DELIVERABLE", people.three, "novel")


async def test_those_of_a_contract_type_are_known_once_it_is_accepted(people: Cast) -> None:
    phases = [{"name": "dig", "deliverables": [{"id": "hole"}]}]
    await people.editor.create(an_object("ContractType", "gardening", {"phases": phases}))
    wrong = {"phase": "dig", "id": "tunnel"}
    await people.editor.create(contract(type="gardening", deliverables=[wrong]))  # nobody knows the phases yet
    body = await people.operator.get()
    accepted = await people.accepted("sample", phases=phases)
    await people.operator.put_status({**body, "status": accepted["status"]})

    await people.editor.patch_spec(description="what was there before is nobody's mistake now")
    worse = Attempt(
        "another", lambda who, body: who.patch_spec(deliverables=[wrong, PLAN]), "INVALID_DELIVERABLE", ("plan/plan-",)
    )
    await assert_refused(worse, people.three)
    for who in people.three:
        await who.patch_spec(deliverables=[wrong, {"phase": "dig", "id": "hole", "uri": f"file:///{who}"}])


async def test_a_deliverable_that_the_phase_has_is_let_in(people: Cast) -> None:
    await people.accepted()
    for who in people.three:
        stored = await who.patch_spec(deliverables=[{**PLAN, "uri": f"https://example.com/{who}"}])
        assert stored["spec"]["deliverables"][0]["uri"].endswith(str(who))
    stored = await people.moved({"deliverables": [completed("plan", "plan-document")]})
    assert stored["status"]["version"] == 2


LOST: Mapping[str, list[Body]] = {
    "taken away": [],
    "taken away for another": [completed("execute", "pull-request")],
    "completed at another time": [completed("plan", "plan-document") | {"completedTime": "2026-02-02T12:00:00Z"}],
    "somewhere else": [completed("plan", "plan-document", uri="https://example.com/other")],
}


@pytest.mark.parametrize("what", LOST)
async def test_what_is_complete_is_neither_taken_away_nor_changed(people: Cast, what: str) -> None:
    await people.accepted()
    await people.moved({"deliverables": [completed("plan", "plan-document")]})

    async def put(who: Person, body: Body) -> None:
        await who.put_status(changed(body, deliverables=LOST[what]))

    says = ("plan/plan-document is complete",)
    await assert_refused(Attempt(what, put, "INVALID_DELIVERABLE", says), people.everyone)


async def test_a_deliverable_is_there_once(people: Cast) -> None:
    await people.accepted()
    twice = [completed("plan", "plan-document"), completed("plan", "plan-document", uri="https://example.com")]
    status = Attempt("twice", lambda who, body: who.put_status(changed(body, deliverables=twice)), "")
    await assert_refused(status.saying("Duplicate value"), people.everyone)
    wish = Attempt("twice", lambda who, body: who.patch_spec(deliverables=[PLAN, PLAN]), "")
    await assert_refused(wish.saying("Duplicate value"), people.three)


async def test_removing_the_report_undoes_nothing(people: Cast) -> None:
    await people.accepted()
    await people.editor.patch_spec(deliverables=[PLAN])
    before = await people.moved({"deliverables": [completed("plan", "plan-document")]})
    after = await people.editor.patch_spec(deliverables=None)
    assert after["status"] == before["status"]
