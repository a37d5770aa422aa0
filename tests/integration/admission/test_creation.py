"""What a contract can't be created with, and what can't be asked of one that has not been accepted yet."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from makima.adapters.kubernetes.connection import Connection
from tests.support.kube import (
    Attempt,
    Body,
    Cast,
    Person,
    assert_create_refused,
    assert_refused,
    bind,
    contract,
    refusal,
)

MOMENTS: Mapping[str, Body] = {
    "advance": {"advance": {"to": "execute", "expectedVersion": 1}},
    "advance, confirmed": {"phaseGuard": True, "advance": {"to": "execute", "expectedVersion": 1, "confirmed": True}},
    "advance, forced": {"advance": {"to": "execute", "expectedVersion": 1, "force": True}},
    "retry": {"retry": {"expectedVersion": 1}},
    "restartSupervisor": {"restartSupervisor": {"expectedIncarnation": 0}},
}


@pytest.fixture
async def creators(admin: Connection, people: Cast) -> tuple[Person, ...]:
    """Three who may create contracts; the supervisor's account, too, for once."""
    await bind(admin, people.supervisor, "makima-edit", ("create", "makima.dev", "contracts"))
    return people.three


@pytest.mark.parametrize("what", MOMENTS)
async def test_no_contract_is_created_with_a_request_for_a_moment(
    people: Cast, creators: tuple[Person, ...], what: str
) -> None:
    says = ("create it without them",)
    await assert_create_refused(contract(**MOMENTS[what]), "VALIDATION_FAILED", creators, *says)
    for who in creators:
        assert (await refusal(who.apply(contract(**MOMENTS[what])))).code == "VALIDATION_FAILED", who


@pytest.mark.parametrize("what", MOMENTS)
async def test_nothing_is_asked_of_a_contract_that_has_not_been_accepted(people: Cast, what: str) -> None:
    await people.editor.create(contract(phaseGuard=True))

    async def write(who: Person, body: Body) -> None:
        await who.patch_spec(**MOMENTS[what])

    says = ("has not been accepted yet", "condition Ready")
    await assert_refused(Attempt(what, write, "VALIDATION_FAILED", says), people.three)


async def test_a_contract_that_was_not_accepted_and_says_why_is_asked_for_nothing_either(people: Cast) -> None:
    body = await people.editor.create(contract(type="unheard-of"))
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "UnknownType",
        "message": "there is no ContractType unheard-of",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    await people.operator.put_status({**body, "status": {"conditions": [ready], "observedGeneration": 1}})

    async def write(who: Person, body: Body) -> None:
        await who.patch_spec(advance={"to": "execute", "expectedVersion": 1})

    await assert_refused(Attempt("advance", write, "VALIDATION_FAILED"), people.three)


async def test_a_restart_names_the_incarnation_of_an_accepted_contract(people: Cast) -> None:
    await people.accepted()
    for number, who in enumerate(people.three):
        stored = await who.patch_spec(restartSupervisor={"expectedIncarnation": number})
        assert stored["spec"]["restartSupervisor"]["expectedIncarnation"] == number
