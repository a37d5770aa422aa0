"""Phases go forward, one at a time, while the contract is under way, and the contract ends after the last one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.kube import Attempt, Body, Cast, Person, assert_refused, changed

PHASES = [{"name": "plan"}, {"name": "build"}, {"name": "test"}, {"name": "ship"}]
ELSEWHERE: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "skipped": ({"phase": "ship"}, "build -> ship skips test"),
    "back": ({"phase": "plan"}, "build -> plan goes back"),
    "one that there is not": ({"phase": "rest"}, "build -> rest is no phase of this contract"),
    "completed too soon": ({"state": "Completing"}, "completes from its last phase, ship"),
    "completed in a move": ({"phase": "test", "state": "Completing"}, "Active -> Completing"),
    "moved while it fails": ({"phase": "test", "state": "Failed"}, "Active -> Failed"),
    "moved while it is paused": ({"phase": "test", "state": "Paused"}, "Active -> Paused"),
}


async def in_build(people: Cast) -> Body:
    """Active in build, the second of four phases; version 3."""
    await people.accepted(phases=PHASES)
    return await people.moved({"state": "Active"}, {"phase": "build"})


@pytest.mark.parametrize("what", ELSEWHERE)
async def test_nobody_writes_a_phase_out_of_order(people: Cast, what: str) -> None:
    await in_build(people)
    changes, says = ELSEWHERE[what]

    async def write(who: Person, body: Body) -> None:
        await who.put_status(changed(body, **changes))

    await assert_refused(Attempt(what, write, "INVALID_TRANSITION", (says,)), people.everyone)


@pytest.mark.parametrize("to", ["ship", "plan", "build", "rest", "Completed"])
async def test_nobody_asks_for_another_phase_than_the_next(people: Cast, to: str) -> None:
    await in_build(people)
    request = {"to": to, "expectedVersion": 3}
    says = (f"from build the contract moves to test, not to {to}",)
    await assert_refused(
        Attempt(to, lambda who, body: who.patch_spec(advance=request), "VALIDATION_FAILED", says), people.three
    )


@pytest.mark.parametrize("state", ["Paused", "Failed", "Archived"])
async def test_nobody_asks_for_a_move_of_a_contract_that_is_not_under_way(people: Cast, state: str) -> None:
    await people.accepted()
    await people.moved({"state": state})
    request = {"to": "execute", "expectedVersion": 2}
    says = (f"the contract is {state}", "under way")
    await assert_refused(
        Attempt(state, lambda who, body: who.patch_spec(advance=request), "VALIDATION_FAILED", says), people.three
    )


@pytest.mark.parametrize("state", ["Created", "Blocked"])
async def test_nobody_asks_a_contract_to_complete_that_has_to_be_active_first(people: Cast, state: str) -> None:
    await people.accepted(type="execute")
    if state == "Blocked":
        await people.moved({"state": "Active"}, {"state": "Blocked"})
    version = (await people.operator.get())["status"]["version"]
    request = {"to": "Completed", "expectedVersion": version}
    says = (f"a contract that is {state} cannot complete",)
    await assert_refused(
        Attempt(state, lambda who, body: who.patch_spec(advance=request), "VALIDATION_FAILED", says), people.three
    )


@pytest.mark.parametrize("state", ["Created", "Active", "Blocked", "Paused"])
async def test_only_a_failed_contract_is_retried(people: Cast, state: str) -> None:
    await people.accepted()
    await people.moved(
        *({"state": step} for step in {"Blocked": ("Active", state), "Created": ()}.get(state, (state,)))
    )
    version = (await people.operator.get())["status"]["version"]
    attempt = Attempt(
        state,
        lambda who, body: who.patch_spec(retry={"expectedVersion": version}),
        "VALIDATION_FAILED",
        (f"the contract is {state}", "only a Failed one"),
    )
    await assert_refused(attempt, people.three)


@pytest.mark.parametrize("state", ["Created", "Active", "WaitingForInput", "Blocked", "Paused"])
async def test_the_next_phase_is_let_in_from_wherever_the_contract_is_under_way(people: Cast, state: str) -> None:
    await people.accepted(phases=PHASES)
    route = {"Created": (), "WaitingForInput": ("Active", state), "Blocked": ("Active", state)}.get(state, (state,))
    await people.moved(*({"state": step} for step in route))
    stored = await people.moved({"phase": "build", "state": "Active"})
    assert (stored["status"]["phase"], stored["status"]["state"]) == ("build", "Active")
