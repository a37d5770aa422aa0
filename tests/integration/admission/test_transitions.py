"""The state table, for whoever writes a status: every pair of states, tried on a real API server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.support.api_rules import ROUTES, TABLE
from tests.support.kube import Attempt, Body, Cast, Person, assert_refused, changed, contract

STATES = tuple(TABLE)
ONE_PHASE = {"type": "execute"}
"""A contract in its last phase from the start: no phase stands in the way of any state."""


def legal(old: str, new: str) -> bool:
    return new in TABLE[old].split()


def to_state(state: str) -> Attempt:
    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, state=state))

    return Attempt(f"to {state}", write, "INVALID_TRANSITION")


def patch_to_state(state: str) -> Attempt:
    async def write(who: Person, body: Body) -> None:
        new = changed(body, state=state)["status"]
        patch = {"state": state, "version": new["version"], "transitions": new["transitions"]}
        await who.patch({"status": patch}, subresource="status")

    return Attempt(f"patched to {state}", write, "INVALID_TRANSITION")


@pytest.mark.parametrize("old", STATES)
async def test_what_the_table_does_not_have_is_refused_to_everybody(people: Cast, old: str) -> None:
    await people.accepted(**ONE_PHASE)
    await people.moved(*({"state": state} for state in ROUTES[old]))
    for new in STATES:
        if new != old and not legal(old, new):
            says = (f"{old} -> {new}", *TABLE[old].split())
            await assert_refused(to_state(new).saying(*says), people.everyone)
            await assert_refused(patch_to_state(new).saying(*says), people.everyone)


@pytest.mark.parametrize("old", STATES)
async def test_what_the_table_has_is_let_in(people: Cast, old: str) -> None:
    for number, new in enumerate(TABLE[old].split()):
        name = f"work-{number}"
        await people.accepted(name, **ONE_PHASE)
        await people.moved(*({"state": state} for state in ROUTES[old]), name=name)
        stored = await people.moved({"state": new}, name=name)
        assert (stored["status"]["state"], stored["status"]["version"]) == (new, len(ROUTES[old]) + 2)


async def test_a_state_that_there_is_not_is_refused(people: Cast) -> None:
    await people.accepted()
    attempt = Attempt("to Nonsense", lambda who, body: who.put_status(changed(body, state="Nonsense")), "")
    await assert_refused(attempt.saying("Unsupported value", "Nonsense"), people.everyone)


FIRST: Mapping[str, Mapping[str, Any]] = {
    "another state than Created": {"state": "Active"},
    "another version than 1": {"version": 2},
    "another phase than the first": {"phase": "execute"},
}


@pytest.mark.parametrize("what", FIRST)
async def test_a_first_status_says_created_in_the_first_phase_at_version_1(people: Cast, what: str) -> None:
    accepted = await people.accepted("sample")
    first = {**accepted["status"], **FIRST[what]}
    entry = {**first["transitions"][0], "version": first["version"]}
    first["transitions"] = [entry | {"toState": first["state"], "toPhase": first["phase"]}]
    await people.editor.create({**accepted, "metadata": {"name": "work"}})
    attempt = Attempt(what, lambda who, body: who.put_status({**body, "status": first}), "INVALID_TRANSITION")
    await assert_refused(attempt.saying("starts Created"), people.everyone)


PAINTED = [{"name": "plan", "deliverables": [{"id": "map"}]}, {"name": "build"}]
FOREIGN: Mapping[str, list[Body]] = {
    "a phase less": PAINTED[:1],
    "another phase": [PAINTED[0], {"name": "rest"}],
    "a phase more": [*PAINTED, {"name": "rest"}],
    "another order": PAINTED[::-1],
    "another deliverable": [{"name": "plan", "deliverables": [{"id": "novel"}]}, PAINTED[1]],
    "no deliverable": [{"name": "plan"}, PAINTED[1]],
    "a deliverable more": [PAINTED[0], {"name": "build", "deliverables": [{"id": "house"}]}],
}


@pytest.mark.parametrize("what", FOREIGN)
async def test_a_contract_is_accepted_with_its_own_phases(people: Cast, what: str) -> None:
    await people.accepted("sample", phases=FOREIGN[what])
    foreign = (await people.operator.get("sample"))["status"]
    await people.editor.create(contract(phases=PAINTED))
    attempt = Attempt(what, lambda who, body: who.put_status({**body, "status": foreign}), "VALIDATION_FAILED")
    await assert_refused(attempt.saying("that its spec has: plan, build"), people.everyone)
    assert (await people.accept())["status"]["state"] == "Created"


async def test_a_status_given_at_creation_is_not_there(people: Cast) -> None:
    accepted = await people.accepted("sample")
    for number, who in enumerate((people.editor, people.confirmer)):
        completed = accepted["status"] | {"state": "Completed", "version": 9}
        body = {**accepted, "metadata": {"name": f"work-{number}"}, "status": completed}
        assert "status" not in await who.create(body)


@pytest.mark.parametrize("field", ["state", "phase", "version", "phases", "stateChangedTime", "lastActivityTime"])
async def test_what_acceptance_wrote_stays(people: Cast, field: str) -> None:
    await people.accepted()

    async def write(who: Person, body: Body) -> None:
        await who.json_patch([{"op": "remove", "path": f"/status/{field}"}], subresource="status")

    async def merge(who: Person, body: Body) -> None:
        await who.patch({"status": {field: None}}, subresource="status")

    # Without the state Kubernetes already misses the status that was there; without another field, that field.
    code = "INVALID_TRANSITION" if field == "state" else "VALIDATION_FAILED"
    for way in (write, merge):
        await assert_refused(Attempt(f"status without {field}", way, code), people.everyone)


async def test_the_status_of_an_accepted_contract_is_never_taken_away(people: Cast) -> None:
    await people.accepted()

    async def remove(who: Person, body: Body) -> None:
        await who.json_patch([{"op": "remove", "path": "/status"}], subresource="status")

    async def null(who: Person, body: Body) -> None:
        await who.patch({"status": None}, subresource="status")

    async def empty(who: Person, body: Body) -> None:
        await who.put_status({**body, "status": {}})

    async def none(who: Person, body: Body) -> None:
        await who.put_status({key: value for key, value in body.items() if key != "status"})

    for way in (remove, null, empty, none):
        attempt = Attempt(f"status taken away ({way.__name__})", way, "INVALID_TRANSITION")
        await assert_refused(attempt.saying("never taken away"), people.everyone)


PHASES: Mapping[str, Callable[[list[Body]], list[Body]]] = {
    "a phase less": lambda phases: phases[:1],
    "a phase more": lambda phases: [*phases, {"name": "more"}],
    "another order": lambda phases: phases[::-1],
    "a gate less": lambda phases: [{**phases[0], "gate": {"autoAdvance": True}}, phases[1]],
    "a deliverable less": lambda phases: [{"name": phases[0]["name"]}, phases[1]],
}


@pytest.mark.parametrize("what", PHASES)
async def test_accepted_phases_do_not_change(people: Cast, what: str) -> None:
    await people.accepted()

    async def write(who: Person, body: Body) -> None:
        status = body["status"] | {"phases": PHASES[what](body["status"]["phases"])}
        await who.put_status({**body, "status": status})

    attempt = Attempt(what, write, "VALIDATION_FAILED", ("the accepted phases do not change",))
    await assert_refused(attempt, people.everyone)


async def test_the_main_resource_moves_no_state(people: Cast) -> None:
    before = await people.accepted()
    for who in people.three:
        await who.replace(changed(before, state="Completed"))
        await who.patch({"status": {"state": "Completed"}})
        assert await who.get() == before, f"{who} changed something"


async def test_a_status_write_changes_no_wish(people: Cast) -> None:
    before = await people.accepted()
    for who in people.everyone:
        await who.put_status({**before, "spec": {**before["spec"], "archived": True}})
        await who.patch({"spec": {"archived": True}}, subresource="status")
        assert await who.get() == before, f"{who} changed something"
