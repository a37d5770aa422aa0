"""Versions: raised by exactly 1 with every change, and named by whoever asks for a move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from makima.errors import Conflict
from tests.support.kube import Attempt, Body, Cast, Person, assert_refused, changed, completed, contract

ACTIVE = {"state": "Active"}
PLANNED = {"deliverables": [completed("plan", "plan-document")]}
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "state": {"state": "Blocked"},
    "phase": {"phase": "execute"},
    "deliverables": PLANNED,
}


@pytest.mark.parametrize("step", [-1, 0, 2, 100])
@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_raises_the_version_by_exactly_one(people: Cast, what: str, step: int) -> None:
    await people.accepted()
    await people.moved(ACTIVE)  # version 2

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, version=2 + step, **CHANGES[what]))

    says = ("version 2 -> 2, expected one more",) if step == 0 else ("raised by exactly 1",)
    await assert_refused(Attempt(f"{what} by {step}", write, "VERSION_CONFLICT", says), people.everyone)


QUIET: Mapping[str, Mapping[str, Any]] = {
    "nothing": {},
    "activity": {"lastActivityTime": "2030-01-01T00:00:00Z"},
    "a task": {
        "tasks": [{"id": "00000000-0000-4000-8000-000000000001", "name": "a", "phase": "plan", "state": "Running"}]
    },
    "what is waited for": {"waitingFor": "rain"},
}


@pytest.mark.parametrize("what", QUIET)
async def test_what_is_no_change_leaves_the_version_alone(people: Cast, what: str) -> None:
    await people.accepted()

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, **QUIET[what]))

    says = ("version 1 -> 2", "expected no change")
    await assert_refused(Attempt(what, write, "VERSION_CONFLICT", says), people.everyone)
    body = await people.operator.get()
    stored = await people.operator.put_status(changed(body, version=1, **QUIET[what]))
    assert stored["status"]["version"] == 1


OUTDATED = {"an older version": 1, "a newer version": 3, "a version far ahead": 1000}


@pytest.mark.parametrize("what", OUTDATED)
@pytest.mark.parametrize("guard", [False, True], ids=["unguarded", "guarded"])
async def test_a_move_asked_for_at_another_version_is_told_the_present_one(
    people: Cast, what: str, guard: bool
) -> None:
    await people.accepted(phaseGuard=guard)
    await people.moved(ACTIVE)  # version 2
    request = {"to": "execute", "expectedVersion": OUTDATED[what], "confirmed": guard}
    says = (f"expected {OUTDATED[what]}, actual 2, phase plan",)

    async def merge(who: Person, body: Body) -> None:
        await who.patch_spec(advance=request)

    async def put(who: Person, body: Body) -> None:
        await who.replace({**body, "spec": {**body["spec"], "advance": request}})

    async def apply(who: Person, body: Body) -> None:
        await who.apply({**body, "metadata": {"name": "work"}, "spec": {"advance": request}}, "third")

    for way in (merge, put, apply):
        await assert_refused(Attempt(f"{what} ({way.__name__})", way, "VERSION_CONFLICT", says), people.three)


async def test_who_may_confirm_and_who_may_not_are_told_of_the_version_alike(people: Cast) -> None:
    """An outdated approval is no question of rights: the confirmer hears the same as the others."""
    await people.accepted(phaseGuard=True)
    await people.moved(ACTIVE)
    request = {"to": "execute", "expectedVersion": 1, "confirmed": True}
    attempt = Attempt("outdated approval", lambda who, body: who.patch_spec(advance=request), "VERSION_CONFLICT")
    await assert_refused(attempt, people.three)


@pytest.mark.parametrize("version", [1, 3])
async def test_a_retry_at_another_version_is_told_the_present_one(people: Cast, version: int) -> None:
    await people.accepted()
    await people.moved({"state": "Failed"})  # version 2
    request = {"expectedVersion": version}
    says = (f"expected {version}, actual 2, phase plan",)
    attempt = Attempt("retry", lambda who, body: who.patch_spec(retry=request), "VERSION_CONFLICT", says)
    await assert_refused(attempt, people.three)
    for who in people.three:
        await who.patch_spec(retry={"expectedVersion": 2})


async def test_what_was_asked_for_once_may_stay_in_a_manifest(people: Cast) -> None:
    """A request is judged when it is made; saying it again, or changing something else, is no new request."""
    await people.accepted()
    request = {"to": "execute", "expectedVersion": 1}
    await people.editor.patch_spec(advance=request)
    await people.moved(ACTIVE, {"phase": "execute"})
    for who in people.three:
        stored = await who.patch_spec(description=f"changed by {who}", advance=request)
        assert stored["spec"]["advance"]["expectedVersion"] == 1
        await who.replace({**stored, "spec": {**stored["spec"], "suspend": True}})
    gone = {"to": "execute", "expectedVersion": 1, "reason": "again"}
    attempt = Attempt("again", lambda who, body: who.patch_spec(advance=gone), "VERSION_CONFLICT")
    await assert_refused(attempt.saying("expected 1, actual 3, phase execute"), people.three)


RECORDED: Mapping[str, int] = {"ahead of the version": 3, "back": 0, "forgotten": -1}


@pytest.mark.parametrize("what", RECORDED)
async def test_what_is_recorded_stays_recorded(people: Cast, what: str) -> None:
    await people.accepted()
    body = await people.moved(ACTIVE)
    await people.operator.put_status({**body, "status": {**body["status"], "recordedVersion": 1}})

    async def write(who: Person, body: Body) -> None:
        new = RECORDED[what] if RECORDED[what] >= 0 else None
        await who.patch({"status": {"recordedVersion": new}}, subresource="status")

    says = ("recordedVersion",)
    await assert_refused(Attempt(what, write, "VALIDATION_FAILED", says), people.everyone)


async def test_no_version_is_without_its_transition(people: Cast) -> None:
    await people.accepted()

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, state="Active", transitions=body["status"]["transitions"]))

    says = ("version 2 has no entry in status.transitions", "Active in plan")
    await assert_refused(Attempt("no entry", write, "VALIDATION_FAILED", says), people.everyone)


LIES: Mapping[str, Mapping[str, Any]] = {
    "another state": {"toState": "Paused"},
    "another phase": {"toPhase": "execute"},
    "another version": {"version": 3},
}


@pytest.mark.parametrize("what", LIES)
async def test_a_transition_says_what_the_status_says(people: Cast, what: str) -> None:
    await people.accepted()

    async def write(who: Person, body: Body) -> None:
        new = changed(body, state="Active")
        *before, last = new["status"]["transitions"]
        await who.put_status({**new, "status": {**new["status"], "transitions": [*before, last | LIES[what]]}})

    await assert_refused(Attempt(what, write, "VALIDATION_FAILED", ("version 2 has no entry",)), people.everyone)


async def test_history_is_not_rewritten(people: Cast) -> None:
    await people.accepted()

    async def change(who: Person, body: Body) -> None:
        new = changed(body, state="Active")
        first, *rest = new["status"]["transitions"]
        await who.put_status({**new, "status": {**new["status"], "transitions": [first | {"actor": "nobody"}, *rest]}})

    async def invent(who: Person, body: Body) -> None:
        (first,) = body["status"]["transitions"]
        status = body["status"] | {"transitions": [first, first | {"version": 7}]}
        await who.put_status({**body, "status": status})

    says = ("gets an entry for the new version only",)
    for way in (change, invent):
        await assert_refused(Attempt(way.__name__, way, "VALIDATION_FAILED", says), people.everyone)


async def test_no_transition_is_dropped_before_it_is_recorded(people: Cast) -> None:
    await people.accepted()
    await people.moved(ACTIVE)

    async def drop(who: Person, body: Body) -> None:
        status = body["status"] | {"transitions": body["status"]["transitions"][1:]}
        await who.put_status({**body, "status": status})

    says = ("transition 1 is dropped before it is recorded",)
    await assert_refused(Attempt("dropped", drop, "VALIDATION_FAILED", says), people.everyone)
    body = await people.operator.get()
    status = body["status"] | {"transitions": body["status"]["transitions"][1:], "recordedVersion": 1}
    stored = await people.operator.put_status({**body, "status": status})
    assert [item["version"] for item in stored["status"]["transitions"]] == [2]


async def test_the_first_version_has_its_transition(people: Cast) -> None:
    accepted = await people.accepted("sample")
    await people.editor.create(contract())
    first = {key: value for key, value in accepted["status"].items() if key != "transitions"}

    async def write(who: Person, body: Body) -> None:
        await who.put_status({**body, "status": first})

    says = ("version 1 has no entry in status.transitions", "Created in plan")
    await assert_refused(Attempt("no entry", write, "VALIDATION_FAILED", says), people.everyone)


async def test_of_two_who_write_what_they_have_read_one_has_to_read_again(people: Cast) -> None:
    await people.accepted()
    for who in people.three:
        read = await who.get()
        await people.operator.put_status(changed(read, version=read["status"]["version"], waitingFor=f"{who}"))
        before = await who.get()
        with pytest.raises(Conflict):
            await who.put_status(changed(read, state="Active"))
        with pytest.raises(Conflict):
            await who.replace({**read, "spec": {**read["spec"], "suspend": True}})
        assert await who.get() == before
