"""What a contract is, it stays: type and phases, whether it is accepted yet or not; and its name fits in a label."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.support.kube import Attempt, Body, Cast, Person, assert_create_refused, assert_refused, contract

PHASES = [{"name": "plan"}, {"name": "build"}]
TYPES: Mapping[str, Body] = {"another": {"type": "specification"}, "the default": {"type": None}}
OTHER_PHASES: Mapping[str, object] = {
    "none": None,
    "one less": PHASES[:1],
    "one more": [*PHASES, {"name": "ship"}],
    "another order": PHASES[::-1],
    "other names": [{"name": "dig"}, {"name": "fill"}],
    "a gate": [{"name": "plan", "gate": {"autoAdvance": True}}, PHASES[1]],
    "a deliverable": [{"name": "plan", "deliverables": [{"id": "map"}]}, PHASES[1]],
}


@pytest.mark.parametrize("accepted", [False, True], ids=["not accepted", "accepted"])
@pytest.mark.parametrize("what", TYPES)
async def test_a_type_does_not_change(people: Cast, what: str, accepted: bool) -> None:
    await people.editor.create(contract(type="execute"))
    if accepted:
        await people.accept()

    async def write(who: Person, body: Body) -> None:
        await who.patch_spec(**TYPES[what])

    says = ("spec.type is immutable (execute)",)
    await assert_refused(Attempt(what, write, "VALIDATION_FAILED", says), people.three)


@pytest.mark.parametrize("accepted", [False, True], ids=["not accepted", "accepted"])
@pytest.mark.parametrize("what", OTHER_PHASES)
async def test_phases_do_not_change(people: Cast, what: str, accepted: bool) -> None:
    await people.editor.create(contract(phases=PHASES))
    if accepted:
        await people.accept()

    async def put(who: Person, body: Body) -> None:
        spec = {**body["spec"], "phases": OTHER_PHASES[what]}
        await who.replace({**body, "spec": {key: value for key, value in spec.items() if value is not None}})

    async def merge(who: Person, body: Body) -> None:
        await who.patch_spec(phases=OTHER_PHASES[what])

    for way in (put, merge):
        attempt = Attempt(f"{what} ({way.__name__})", way, "VALIDATION_FAILED", ("spec.phases is immutable",))
        await assert_refused(attempt, people.three)


async def test_phases_do_not_come_later(people: Cast) -> None:
    await people.editor.create(contract())
    attempt = Attempt("later", lambda who, body: who.patch_spec(phases=PHASES), "VALIDATION_FAILED")
    await assert_refused(attempt.saying("spec.phases is immutable"), people.three)


async def test_the_same_again_is_let_in(people: Cast) -> None:
    await people.editor.create(contract(type="execute", phases=PHASES))
    for who in people.three:
        await who.patch_spec(type="execute", phases=PHASES, description=f"seen by {who}")


async def test_a_contract_has_a_name_that_fits_in_a_label(people: Cast) -> None:
    for_two = (people.editor, people.confirmer)
    await assert_create_refused(contract("a" * 64), "VALIDATION_FAILED", for_two, "at most 63 characters")
    await people.editor.create(contract("a" * 63))
