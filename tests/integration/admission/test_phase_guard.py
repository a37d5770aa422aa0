"""The phase guard: no move that nobody with the right to do so has confirmed, for exactly the version it moves from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from makima.adapters.kubernetes.connection import APPLY_PATCH
from tests.support.kube import Attempt, Body, Cast, Person, assert_refused, changed, completed, contract

PLAN = completed("plan", "plan-document")
TO_EXECUTE = {"to": "execute", "expectedVersion": 2}
TO_THE_END = {"to": "Completed", "expectedVersion": 3}
GUARDED = "PHASE_GUARD_REQUIRED"


async def a_guarded_one(people: Cast) -> Body:
    """Active in plan, version 2."""
    await people.accepted(phaseGuard=True)
    return await people.moved({"state": "Active"})


async def one_in_its_last_phase(people: Cast) -> Body:
    """Active in execute, version 3; the move there was confirmed."""
    await a_guarded_one(people)
    await people.confirmer.patch_spec(advance={**TO_EXECUTE, "confirmed": True})
    return await people.moved({"phase": "execute"})


Write = Callable[[Person, Body, Body], Awaitable[Any]]


async def _merge(who: Person, body: Body, request: Body) -> None:
    await who.patch_spec(advance=request)


async def _put(who: Person, body: Body, request: Body) -> None:
    await who.replace({**body, "spec": {**body["spec"], "advance": request}})


async def _json(who: Person, body: Body, request: Body) -> None:
    await who.json_patch([{"op": "add", "path": "/spec/advance", "value": request}])


async def _apply(who: Person, body: Body, request: Body) -> None:
    await who.apply(contract(advance=request))


async def _with_the_guard_off(who: Person, body: Body, request: Body) -> None:
    await who.patch_spec(phaseGuard=False, advance=request)


UNCONFIRMED: Mapping[str, Body] = {
    "unconfirmed": {},
    "confirmed: false": {"confirmed": False},
    "forced": {"force": True, "reason": "I know better"},
}


@pytest.mark.parametrize("what", UNCONFIRMED)
async def test_a_guarded_move_asked_for_without_a_confirmation_is_told_what_to_look_at(people: Cast, what: str) -> None:
    await a_guarded_one(people)
    request = {**TO_EXECUTE, **UNCONFIRMED[what]}
    says = ("plan -> execute", "verb confirm", "plan-document (open)")
    ways: tuple[Write, ...] = (_merge, _put, _json, _apply, _with_the_guard_off)
    for way in ways:
        attempt = Attempt(f"{what} ({way.__name__})", lambda who, body, way=way: way(who, body, request), GUARDED, says)
        await assert_refused(attempt, people.three)


async def test_deliverables_that_are_there_are_said_to_be(people: Cast) -> None:
    await a_guarded_one(people)
    await people.moved({"deliverables": [PLAN]})
    request = {"to": "execute", "expectedVersion": 3}
    attempt = Attempt("unconfirmed", lambda who, body: who.patch_spec(advance=request), GUARDED)
    await assert_refused(attempt.saying("plan-document (complete)"), people.three)


async def test_completion_is_guarded_like_a_phase(people: Cast) -> None:
    await one_in_its_last_phase(people)
    unconfirmed = {**TO_THE_END, "confirmed": False}  # a merge patch leaves what the last request said otherwise
    attempt = Attempt("to the end", lambda who, body: who.patch_spec(advance=unconfirmed), GUARDED)
    await assert_refused(attempt.saying("execute -> Completed", "pull-request (open)"), people.three)


async def _to_execute(who: Person, body: Body) -> None:
    await who.put_status(changed(body, phase="execute"))


async def _patch_to_execute(who: Person, body: Body) -> None:
    new = changed(body, phase="execute")["status"]
    patch = {"phase": "execute", "version": new["version"], "transitions": new["transitions"]}
    await who.patch({"status": patch}, subresource="status")


async def _apply_to_execute(who: Person, body: Body) -> None:
    new = changed(body, phase="execute")["status"]
    status = {key: new[key] for key in ("phase", "version", "transitions")}
    path = who.path("contracts", "work", "status")
    query = {"fieldManager": "agent", "force": "true"}
    whole = {"apiVersion": body["apiVersion"], "kind": "Contract", "metadata": {"name": "work"}, "status": status}
    await who.connection.request("PATCH", path, body=whole, query=query, content_type=APPLY_PATCH)


async def _to_execute_and_block(who: Person, body: Body) -> None:
    await who.put_status(changed(body, phase="execute", state="Blocked"))


async def _confirming_in_the_same_write(who: Person, body: Body) -> None:
    """The spec in a status write is not looked at."""
    confirmation = {**TO_EXECUTE, "confirmed": True}
    spec = {**body["spec"], "phaseGuard": False, "advance": confirmation}
    await who.put_status({**changed(body, phase="execute"), "spec": spec})


@pytest.mark.parametrize(
    "write", [_to_execute, _patch_to_execute, _apply_to_execute, _to_execute_and_block, _confirming_in_the_same_write]
)
async def test_nobody_moves_a_guarded_phase_that_nobody_confirmed_not_even_the_operator(
    people: Cast, write: Callable[[Person, Body], Awaitable[Any]]
) -> None:
    await a_guarded_one(people)
    says = ("plan -> execute at version 2 has no confirmation",)
    await assert_refused(Attempt(write.__name__, write, GUARDED, says), people.everyone)


async def test_nobody_completes_a_guarded_contract_that_nobody_confirmed_not_even_the_operator(people: Cast) -> None:
    await one_in_its_last_phase(people)
    says = ("execute -> Completed at version 3 has no confirmation",)
    attempt = Attempt("complete", lambda who, body: who.put_status(changed(body, state="Completing")), GUARDED, says)
    await assert_refused(attempt, people.everyone)


async def test_a_pause_is_no_way_round_the_guard(people: Cast) -> None:
    await a_guarded_one(people)
    await people.moved({"state": "Paused", "pausedFrom": "Active"})

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, state="Active", phase="execute"))

    await assert_refused(Attempt("out of the pause", write, GUARDED, ("version 3",)), people.everyone)


async def test_what_was_confirmed_moves_once(people: Cast) -> None:
    stored = await one_in_its_last_phase(people)
    assert (stored["status"]["phase"], stored["status"]["version"]) == ("execute", 3)
    await people.confirmer.patch_spec(advance={**TO_THE_END, "confirmed": True})
    stored = await people.moved({"state": "Completing"})
    await people.moved({"state": "Active"})  # the last check fell through
    attempt = Attempt("again", lambda who, body: who.put_status(changed(body, state="Completing")), GUARDED)
    await assert_refused(attempt.saying("at version 5 has no confirmation"), people.everyone)


DYING: Mapping[str, Mapping[str, Any]] = {
    "a deliverable came": {"deliverables": [PLAN]},
    "the state changed": {"state": "Blocked"},
}


@pytest.mark.parametrize("what", DYING)
async def test_an_approval_dies_with_any_change_of_what_was_approved(people: Cast, what: str) -> None:
    await a_guarded_one(people)
    await people.confirmer.patch_spec(advance={**TO_EXECUTE, "confirmed": True})
    await people.moved(DYING[what])  # version 3

    says = ("at version 3 has no confirmation",)
    await assert_refused(Attempt("outlived", _to_execute, GUARDED, says), people.everyone)
    older = {**TO_EXECUTE, "confirmed": True, "reason": "as I said"}
    again = Attempt("approved again", lambda who, body: who.patch_spec(advance=older), "VERSION_CONFLICT")
    await assert_refused(again.saying("expected 2, actual 3, phase plan"), people.three)

    await people.confirmer.patch_spec(advance={"to": "execute", "expectedVersion": 3, "confirmed": True})
    stored = await people.moved({"phase": "execute", "state": "Active"})
    assert stored["status"]["phase"] == "execute"


async def test_an_approval_of_the_phase_is_none_of_completion(people: Cast) -> None:
    await one_in_its_last_phase(people)

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, state="Completing"))

    assert (await people.operator.get())["spec"]["advance"]["to"] == "execute"
    await assert_refused(Attempt("complete", write, GUARDED), people.everyone)


async def test_nothing_rides_along_with_a_confirmed_move(people: Cast) -> None:
    await a_guarded_one(people)
    await people.confirmer.patch_spec(advance={**TO_EXECUTE, "confirmed": True})

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, phase="execute", deliverables=[PLAN]))

    says = ("did not have these deliverables",)
    await assert_refused(Attempt("a deliverable more", write, GUARDED, says), people.everyone)


RIDES: Mapping[str, tuple[Body, str]] = {
    "force": ({"force": True}, "UNAUTHORIZED"),
    "a reason": ({"reason": "connie said so"}, "UNAUTHORIZED"),
    "another version": ({"expectedVersion": 3}, "VERSION_CONFLICT"),
    "another target": ({"to": "Completed"}, "VALIDATION_FAILED"),
}


@pytest.mark.parametrize("what", RIDES)
async def test_nobody_changes_what_somebody_else_confirmed(people: Cast, what: str) -> None:
    await a_guarded_one(people)
    await people.confirmer.patch_spec(advance={**TO_EXECUTE, "confirmed": True})
    addition, code = RIDES[what]
    attempt = Attempt(what, lambda who, body: who.patch_spec(advance=addition), code)
    await assert_refused(attempt, (people.editor, people.supervisor))


async def test_a_confirmation_taken_back_in_time_holds(people: Cast) -> None:
    await a_guarded_one(people)
    await people.confirmer.patch_spec(advance={**TO_EXECUTE, "confirmed": True})
    await people.editor.patch_spec(advance=None)  # anybody who edits may stop a move
    await assert_refused(Attempt("withdrawn", _to_execute, GUARDED), people.everyone)


async def test_a_guard_switched_on_holds_what_was_asked_for_before(people: Cast) -> None:
    await people.accepted()
    await people.moved({"state": "Active"})
    await people.editor.patch_spec(advance=TO_EXECUTE)
    await people.editor.patch_spec(phaseGuard=True)  # stricter: anybody who edits may
    await assert_refused(Attempt("guarded since", _to_execute, GUARDED), people.everyone)
