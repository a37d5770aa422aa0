"""Bad input gets a clear error or a condition that says what is wrong and what to do, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest

from makima.adapters.postgres.history import PostgresHistory
from makima.errors import Denied
from tests.support.driven import AUTO, Driven, phase
from tests.support.kube import Body, an_object, changed

pytestmark = [pytest.mark.xdist_group("bad input"), pytest.mark.usefixtures("operator")]


async def test_an_unknown_type_is_told_and_works_as_soon_as_it_is_there(driven: Driven) -> None:
    await driven.create("early", type="not-yet")
    message = await driven.until_condition("early", "Ready", "False", "UnknownType")
    assert "not-yet" in message
    assert "create that ContractType" in message
    await driven.until_events("early", "Refused")
    await driven.admin.create(an_object("ContractType", "not-yet", {"phases": [phase("only", "it")]}))
    await driven.until_state("early", "Created")


REFUSED_PHASES: dict[str, tuple[list[Body], str]] = {
    "duplicate phases": (
        [{"name": "zero"}, {"name": "one"}, {"name": "one"}],
        "VALIDATION_FAILED: each phase has a name of its own; more than one is called one",
    ),
    "no phases": ([], "VALIDATION_FAILED: there has to be a phase"),
    "a gate with an unknown deliverable": (
        [{"name": "one", "deliverables": [{"id": "a"}], "gate": {"requiredDeliverables": ["b"]}}],
        "b",
    ),
    "MinComplete without a number": ([{"name": "one", "gate": {"requiredTasks": {"policy": "MinComplete"}}}], "min"),
    "MinComplete above any number": (
        [{"name": "one", "gate": {"requiredTasks": {"policy": "MinComplete", "min": 10**6}}}],
        "10000",
    ),
    "NamedTasks without names": ([{"name": "one", "gate": {"requiredTasks": {"policy": "NamedTasks"}}}], "names"),
    "a reserved phase name": ([{"name": "Completed"}], "name"),
    "a validator of both kinds": (
        [{"name": "one", "gate": {"validator": {"cel": {"expression": "true"}, "http": {"service": "x"}}}}],
        "cel",
    ),
}


@pytest.mark.parametrize("case", REFUSED_PHASES)
async def test_phases_that_cannot_work_are_refused_by_the_api_server(driven: Driven, case: str) -> None:
    phases, says = REFUSED_PHASES[case]
    with pytest.raises(Denied) as refused:
        await driven.create(f"bad-{abs(hash(case))}", phases=phases)
    assert says in str(refused.value)


async def test_a_megabyte_of_description_is_refused_with_the_limit(driven: Driven) -> None:
    with pytest.raises(Denied, match="8192"):
        await driven.create("long", description="x" * 1_000_000)


@pytest.mark.parametrize("letter", ["\x00", "\x1b"])
@pytest.mark.parametrize("field", ["description", "suspendReason"])
async def test_nul_bytes_are_refused_where_they_come_in(driven: Driven, field: str, letter: str) -> None:
    with pytest.raises(Denied, match=f"^VALIDATION_FAILED: spec.{field} has no NUL") as refused:
        await driven.create("nul", **{field: f"a{letter}b"})
    assert refused.value.code == "VALIDATION_FAILED"


async def test_a_nul_byte_in_a_type_is_refused(driven: Driven) -> None:
    nul = an_object("ContractType", "nul-type", {"description": "a\x00b", "phases": [{"name": "one"}]})
    with pytest.raises(Denied, match="^VALIDATION_FAILED: spec.description has no NUL"):
        await driven.admin.create(nul)


async def test_an_unknown_deliverable_is_refused_and_a_known_one_beside_it_counts(driven: Driven) -> None:
    await driven.started("typo", phase("one", "right"), phase("two", "b"))
    with pytest.raises(Denied, match="INVALID_DELIVERABLE"):
        await driven.report("typo", "one/wrong")
    await driven.report("typo", "one/right")
    await driven.until("typo", lambda now: now["phase"] == "two")


async def test_a_deliverable_unknown_to_the_type_before_acceptance_is_a_condition(driven: Driven) -> None:
    reported = [{"phase": "one", "id": "wrong"}, {"phase": "one", "id": "right"}]
    await driven.create("early-typo", type="later", deliverables=reported)
    await driven.until_condition("early-typo", "Ready", "False", "UnknownType")
    await driven.admin.create(
        an_object("ContractType", "later", {"phases": [phase("one", "right"), phase("two", "b")]})
    )
    message = await driven.until_condition("early-typo", "Ready", "False", "InvalidDeliverable")
    assert "INVALID_DELIVERABLE" in message
    assert "wrong" in message
    status = await driven.until("early-typo", lambda now: now["phase"] == "two")
    assert [item["id"] for item in status["deliverables"]] == ["right"]


async def test_a_confirmation_for_an_older_version_is_refused(driven: Driven) -> None:
    await driven.started("stale-ok", phase("one", "a"), phase("two", "b"), phaseGuard=True)
    await driven.report("stale-ok", "one/a")
    await driven.until_state("stale-ok", "WaitingForInput")
    version = (await driven.status("stale-ok"))["version"]
    with pytest.raises(Denied, match="VERSION_CONFLICT"):
        await driven.admin.patch_spec(
            "stale-ok", advance={"to": "two", "expectedVersion": version - 1, "confirmed": True}
        )
    assert (await driven.status("stale-ok"))["phase"] == "one"


async def test_what_a_move_misses_is_told_in_the_outcome(driven: Driven) -> None:
    await driven.started("short", phase("one", "a", "b"), phase("two"))
    await driven.report("short", "one/a")
    await driven.until("short", lambda now: now.get("deliverables"))
    await driven.advance("short", "two")
    status = await driven.until("short", lambda now: now.get("advance"))
    assert status["advance"]["outcome"] == "ValidationFailed"
    assert status["advance"]["missing"] == ["Deliverable: b"]
    assert status["advance"]["message"].startswith("VALIDATION_FAILED")


NONSENSE: dict[str, Body] = {
    "a state of its own making": {"state": "Sleeping"},
    "a state the table has no way to": {"state": "Archived"},
    "a phase that does not exist": {"phase": "nowhere"},
    "a version that jumps": {"version": 99},
    "a version that goes back": {"version": 0},
    "no transitions": {"transitions": None},
}


@pytest.mark.parametrize("case", NONSENSE)
async def test_a_status_edited_by_hand_into_nonsense_is_refused(driven: Driven, case: str) -> None:
    name = f"hand-{abs(hash(case))}"
    await driven.started(name, phase("one", "a"), phase("two"))
    body = await driven.admin.get(name)
    with pytest.raises(Denied):
        await driven.admin.put_status(changed(body, **NONSENSE[case]))
    await driven.report(name, "one/a")
    await driven.until_state(name, "Completed")


async def test_a_permitted_edit_of_the_status_by_hand_does_not_derail_a_contract(driven: Driven) -> None:
    await driven.started("edited", phase("one", "a"), phase("two", "b"))
    body = await driven.admin.get("edited")
    del body["status"]["conditions"]
    body["status"]["lastActivityTime"] = "2020-01-01T00:00:00Z"
    await driven.admin.put_status(body)
    await driven.report("edited", "one/a")
    status = await driven.until("edited", lambda now: now["phase"] == "two")
    assert {item["type"] for item in status["conditions"]} >= {"Ready", "Progressing", "HistoryRecorded", "Stale"}


async def test_a_contract_deleted_in_the_middle_of_completing_is_gone_and_recorded_as_deleted(
    driven: Driven, recorded: PostgresHistory
) -> None:
    endless = "true"
    for variable in "abcdefghi":
        endless = f"[0,1,2,3,4,5,6,7,8,9].all({variable}, {endless})"
    slow = {"cel": {"expression": endless}, "timeoutSeconds": 2, "failurePolicy": "Ignore"}
    await driven.started("going", phase("only", "a", validator=slow))
    uid = (await driven.admin.get("going"))["metadata"]["uid"]
    await driven.report("going", "only/a")
    await driven.until_state("going", "Completing")  # asks the validator once more, which takes two seconds
    path = driven.admin.path("contracts", "going")
    await driven.admin.connection.request("DELETE", path)
    await driven.until_gone("going")
    deadline = asyncio.get_running_loop().time() + 20
    while uid in {found for found, _, _ in await recorded.live_uids()}:
        assert asyncio.get_running_loop().time() < deadline, "the history does not know that it is deleted"
        await asyncio.sleep(0.1)


async def test_a_type_deleted_before_acceptance_leaves_a_condition_not_a_crash(driven: Driven) -> None:
    await driven.admin.create(an_object("ContractType", "fleeting", {"phases": [{"name": "one", **AUTO}]}))
    await driven.admin.connection.request("DELETE", driven.admin.path("contracttypes", "fleeting"))
    await driven.create("orphan", type="fleeting")
    await driven.until_condition("orphan", "Ready", "False", "UnknownType")
