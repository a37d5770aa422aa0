"""The verb `confirm`: who passes a phase guard, and who switches it off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.kube import (
    MAY_CONFIRM,
    MAY_EDIT,
    Attempt,
    Body,
    Cast,
    Person,
    assert_refused,
    bind,
    contract,
    make_role,
    person,
    refusal,
    until,
)

REQUEST = {"to": "execute", "expectedVersion": 2, "confirmed": True}
UNAUTHORIZED = "UNAUTHORIZED"


@pytest.fixture
async def visitor(installed_cluster: Sandbox, admin: Connection, people: Cast) -> AsyncIterator[Person]:
    """Somebody of another team who may edit, and confirm one contract only: `other`."""
    async with person(installed_cluster, people.namespace, "vic", ("visitors",), "visitor") as visitor:
        await bind(admin, visitor, "makima-edit", MAY_EDIT)
        rule = {
            "apiGroups": ["makima.dev"],
            "resources": ["contracts"],
            "verbs": ["confirm"],
            "resourceNames": ["other"],
        }
        await make_role(admin, people.namespace, "confirm-other", rule)
        await bind(admin, visitor, "confirm-other", kind="Role")
        await until("the visitor may confirm the other one", lambda: visitor.may(MAY_CONFIRM, "other"))
        yield visitor


async def a_guarded_one(people: Cast, name: str = "work") -> None:
    await people.accepted(name, phaseGuard=True)
    await people.moved({"state": "Active"}, name=name)


def without_the_verb(people: Cast, visitor: Person) -> tuple[Person, ...]:
    return (people.editor, people.supervisor, visitor)


async def test_confirming_needs_the_verb_on_this_contract(people: Cast, visitor: Person) -> None:
    await a_guarded_one(people)

    async def merge(who: Person, body: Body) -> None:
        await who.patch_spec(advance=REQUEST)

    async def put(who: Person, body: Body) -> None:
        await who.replace({**body, "spec": {**body["spec"], "advance": REQUEST}})

    async def apply(who: Person, body: Body) -> None:
        await who.apply(contract(advance=REQUEST))

    async def force(who: Person, body: Body) -> None:
        await who.patch_spec(advance={**REQUEST, "force": True})

    for way in (merge, put, apply, force):
        attempt = Attempt(f"confirm ({way.__name__})", way, UNAUTHORIZED, ("needs the verb confirm on this contract",))
        await assert_refused(attempt, without_the_verb(people, visitor))


async def test_an_unguarded_move_is_not_confirmed_without_the_verb_either(people: Cast, visitor: Person) -> None:
    """Or the confirmation would count as soon as the guard is switched on."""
    await people.accepted()
    await people.moved({"state": "Active"})
    attempt = Attempt("confirm", lambda who, body: who.patch_spec(advance=REQUEST), UNAUTHORIZED)
    await assert_refused(attempt, without_the_verb(people, visitor))


async def test_what_others_asked_for_is_not_confirmed_without_the_verb(people: Cast, visitor: Person) -> None:
    await people.accepted()
    await people.moved({"state": "Active"})
    await people.editor.patch_spec(advance={**REQUEST, "confirmed": False})
    await people.editor.patch_spec(phaseGuard=True)
    attempt = Attempt("confirm", lambda who, body: who.patch_spec(advance={"confirmed": True}), UNAUTHORIZED)
    await assert_refused(attempt, without_the_verb(people, visitor))


async def test_switching_the_guard_off_needs_the_verb(people: Cast, visitor: Person) -> None:
    await a_guarded_one(people)

    async def false(who: Person, body: Body) -> None:
        await who.patch_spec(phaseGuard=False)

    async def absent(who: Person, body: Body) -> None:
        await who.json_patch([{"op": "remove", "path": "/spec/phaseGuard"}])

    async def replaced(who: Person, body: Body) -> None:
        await who.replace({**body, "spec": {}})

    async def null(who: Person, body: Body) -> None:
        await who.patch({"spec": None})

    async def applied(who: Person, body: Body) -> None:
        await who.apply(contract(phaseGuard=False), force=True)

    for way in (false, absent, replaced, null, applied):
        attempt = Attempt(f"off ({way.__name__})", way, UNAUTHORIZED, ("switching phaseGuard off needs",))
        await assert_refused(attempt, without_the_verb(people, visitor))


async def test_who_holds_the_verb_confirms_and_switches_off(people: Cast, visitor: Person) -> None:
    await a_guarded_one(people)
    stored = await people.confirmer.patch_spec(advance=REQUEST)
    assert stored["spec"]["advance"]["confirmed"] is True
    stored = await people.confirmer.patch_spec(phaseGuard=False)
    assert stored["spec"]["phaseGuard"] is False


async def test_the_verb_on_one_contract_is_good_for_that_one(people: Cast, visitor: Person) -> None:
    await a_guarded_one(people, "other")
    stored = await visitor.patch_spec("other", advance=REQUEST)
    assert stored["spec"]["advance"]["confirmed"] is True


async def test_the_operators_own_account_may_neither_confirm_nor_write_a_wish(people: Cast) -> None:
    await a_guarded_one(people)
    before = await people.operator.get()
    assert not await people.operator.may(MAY_CONFIRM)
    error = await refusal(people.operator.patch_spec(advance=REQUEST))
    assert "cannot patch resource" in str(error)
    error = await refusal(people.operator.replace({**before, "spec": {**before["spec"], "phaseGuard": False}}))
    assert "cannot update resource" in str(error)
    assert await people.operator.get() == before


async def test_makimas_own_roles_let_nobody_but_the_operator_write_a_status(
    installed_cluster: Sandbox, admin: Connection, people: Cast
) -> None:
    before = await people.accepted()
    for role in ("makima-view", "makima-edit", "makima-confirm", "makima-supervise", "makima-batch", "makima-admin"):
        async with person(installed_cluster, people.namespace, f"only-{role}", ("staff",)) as who:
            await bind(admin, who, role, ("get", "makima.dev", "contracts"))
            error = await refusal(who.put_status(before))
            assert "cannot update resource" in str(error), role
            error = await refusal(who.patch({"status": {"state": "Active"}}, subresource="status"))
            assert "cannot patch resource" in str(error), role
    assert await people.operator.get() == before
