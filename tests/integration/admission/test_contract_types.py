"""ContractTypes, and phases wherever they are written: gates that can be satisfied, names that can be chosen."""

from __future__ import annotations

from collections.abc import Mapping

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
    contract,
)


def a_phase(**gate: object) -> Body:
    return {"name": "plan", "deliverables": [{"id": "map"}], "gate": gate}


VALIDATOR: Body = {"cel": {"expression": "true"}}
BAD: Mapping[str, tuple[Body, tuple[str, ...]]] = {
    "a deliverable that the phase does not have": (
        a_phase(requiredDeliverables=["map", "novel"]),
        ("gate of phase plan requires a deliverable that the phase does not have: novel",),
    ),
    "a deliverable of a phase without any": (
        {"name": "rest", "gate": {"requiredDeliverables": ["map"]}},
        ("gate of phase rest", "map"),
    ),
    "MinComplete without min": (a_phase(requiredTasks={"policy": "MinComplete"}), ("MinComplete needs min",)),
    "min without MinComplete": (a_phase(requiredTasks={"policy": "AllComplete", "min": 1}), ("min goes with",)),
    "min alone": (a_phase(requiredTasks={"min": 1}), ("min goes with task policy MinComplete",)),
    "NamedTasks without names": (a_phase(requiredTasks={"policy": "NamedTasks"}), ("NamedTasks needs names",)),
    "NamedTasks with no names": (
        a_phase(requiredTasks={"policy": "NamedTasks", "names": []}),
        ("NamedTasks needs names",),
    ),
    "names without NamedTasks": (a_phase(requiredTasks={"names": ["a"]}), ("names goes with task policy NamedTasks",)),
    "a validator of no kind": (a_phase(validator={}), ("exactly one of cel and http",)),
    "a validator of both kinds": (
        a_phase(validator={**VALIDATOR, "http": {"service": "checks"}}),
        ("exactly one of cel and http",),
    ),
}
LISTS: Mapping[str, tuple[list[Body], str]] = {
    "no phases": ([], "there has to be a phase"),
    "a phase twice": ([{"name": "do"}, {"name": "plan"}, {"name": "plan"}], "more than one is called plan"),
    "a phase three times": ([{"name": "plan"}, {"name": "plan"}, {"name": "plan"}], "more than one is called plan"),
}
SHAPES: Mapping[str, tuple[list[Body], tuple[str, ...]]] = {
    "thirteen phases": ([{"name": f"p{number}"} for number in range(13)], ("must have at most 12 items",)),
    "a phase named Completed": ([{"name": "Completed"}], ("should match",)),
    "a phase without a name": ([{}], ("Required value",)),
    "a deliverable twice": ([{"name": "plan", "deliverables": [{"id": "map"}, {"id": "map"}]}], ("Duplicate value",)),
    "an unknown priority": (
        [{"name": "plan", "deliverables": [{"id": "map", "priority": "required"}]}],
        ("Unsupported value", '"Required"'),
    ),
    "an unknown policy": ([a_phase(requiredTasks={"policy": "SomeComplete"})], ("Unsupported value",)),
    "a task twice": ([a_phase(requiredTasks={"policy": "NamedTasks", "names": ["a", "a"]})], ("Duplicate value",)),
    "a long time to wait": ([a_phase(validator={**VALIDATOR, "timeoutSeconds": 31})], ("less than or equal to 30",)),
}


@pytest.fixture
async def creators(admin: Connection, people: Cast) -> tuple[Person, ...]:
    """Three who may create contracts and types."""
    await bind(admin, people.supervisor, "makima-edit", ("create", "makima.dev", "contracttypes"))
    return people.three


def a_type(name: str, phases: list[Body]) -> Body:
    return an_object("ContractType", name, {"phases": phases})


@pytest.mark.parametrize("what", BAD)
async def test_a_gate_that_can_not_be_meant_so_is_refused_in_types_and_contracts(
    creators: tuple[Person, ...], what: str
) -> None:
    phase, says = BAD[what]
    await assert_create_refused(a_type("work", [phase]), "VALIDATION_FAILED", creators, *says)
    await assert_create_refused(contract(phases=[phase]), "VALIDATION_FAILED", creators, *says)
    await creators[0].create(a_type("work", [{"name": "plan"}]))

    async def write(who: Person, body: Body) -> None:
        await who.patch({"spec": {"phases": [phase]}}, plural="contracttypes")

    await assert_refused(Attempt(what, write, "VALIDATION_FAILED", says), creators, plural="contracttypes")


@pytest.mark.parametrize("what", LISTS)
async def test_phases_of_which_none_can_be_told_from_another_are_refused(
    creators: tuple[Person, ...], what: str
) -> None:
    phases, says = LISTS[what]
    await assert_create_refused(a_type("work", phases), "VALIDATION_FAILED", creators, says)
    await assert_create_refused(contract(phases=phases), "VALIDATION_FAILED", creators, says)


@pytest.mark.parametrize("what", SHAPES)
async def test_phases_that_are_none_are_refused_in_types_and_contracts(creators: tuple[Person, ...], what: str) -> None:
    phases, says = SHAPES[what]
    await assert_create_refused(a_type("work", phases), "", creators, *says)
    await assert_create_refused(contract(phases=phases), "", creators, *says)


@pytest.mark.parametrize("name", ["simple", "specification", "execute"])
async def test_names_of_built_in_types_are_taken(creators: tuple[Person, ...], name: str) -> None:
    says = ("are built in; choose another name",)
    await assert_create_refused(a_type(name, [{"name": "plan"}]), "VALIDATION_FAILED", creators, *says)


@pytest.mark.parametrize("name", ["with.dots", "a" * 64])
async def test_a_type_has_a_name_that_a_contract_can_say(creators: tuple[Person, ...], name: str) -> None:
    says = ("is a DNS label",)
    await assert_create_refused(a_type(name, [{"name": "plan"}]), "VALIDATION_FAILED", creators, *says)


async def test_a_type_with_all_that_a_gate_can_say_is_let_in(creators: tuple[Person, ...]) -> None:
    gates: list[Body] = [
        {"requiredDeliverables": ["map"], "requiredTasks": {"policy": "MinComplete", "min": 3}, "autoAdvance": True},
        {"requiredDeliverables": [], "requiredTasks": {"policy": "NamedTasks", "names": ["a", "b"]}},
        {"validator": {**VALIDATOR, "timeoutSeconds": 30, "failurePolicy": "Ignore"}},
        {"validator": {"http": {"service": "checks", "port": 8080, "path": "/ready"}}},
        {"requiredTasks": {}},
        {},
    ]
    phases = [
        {"name": f"p{number}", "deliverables": [{"id": "map", "priority": "Optional"}], "gate": gate}
        for number, gate in enumerate(gates)
    ]
    for number, who in enumerate(creators):
        await who.create(a_type(f"a{number}".ljust(63, "a"), phases))
        await who.create(contract(f"work-{number}", phases=phases))


async def test_a_type_may_change_and_running_contracts_keep_their_phases(people: Cast) -> None:
    await people.editor.create(a_type("gardening", [{"name": "dig"}, {"name": "plant"}]))
    await people.editor.create(contract(type="gardening"))
    accepted = await people.accepted("sample", phases=[{"name": "dig"}, {"name": "plant"}])
    body = await people.operator.get()
    before = await people.operator.put_status({**body, "status": accepted["status"]})
    await people.editor.patch({"spec": {"phases": [{"name": "rest"}]}}, "gardening", "contracttypes")
    assert await people.operator.get() == before
