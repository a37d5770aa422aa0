"""The dashboard over REST: what each caller may see of it, and that it is not there with its flag off."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from makima.adapters.postgres.history import PostgresHistory
from makima.models.history import HistoryBatch
from tests.support.api_process import ApiUnderTest, StartApi
from tests.support.carried_world import CarriedWorld, address, beat
from tests.support.history_values import contract, event

PATH = "/api/v1/contracts/dashboard"
REGISTER = "/api/v1/supervisors/register"


async def record(url: str, *rows: Any) -> None:
    """As the operator does."""
    history = PostgresHistory(url)
    await history.open()
    await history.record(HistoryBatch(rows, tuple(event(row.uid, 1, namespace=row.namespace) for row in rows)))
    await history.mark_caught_up()
    await history.close()


async def test_it_shows_what_the_caller_may_list_and_nothing_else(
    world: CarriedWorld, api: ApiUnderTest, module_database: str
) -> None:
    elsewhere = f"other-{uuid4().hex[:8]}"
    mine = [
        contract(namespace=world.namespace, name="one", status="active", running_tasks=2, worktrees=3),
        contract(namespace=world.namespace, name="two", status="waiting_for_input", waiting_for="answer: Which?"),
    ]
    await record(module_database, *mine, contract(namespace=elsewhere, status="failed"))
    viewer = world.caller(api, await world.account("viewer", "makima-view"))
    body = await viewer.good("GET", PATH)
    assert body["statusCounts"] == {"active": 1, "waiting_for_input": 1}
    assert body["phaseCounts"] == {"plan": 2}
    assert [(item["id"], item["question"]) for item in body["waitingForInput"]] == [(str(mine[1].uid), "Which?")]
    assert {item["namespace"] for item in body["recentEvents"]} == {world.namespace}
    assert (body["resourceUsage"]["runningTasks"], body["resourceUsage"]["totalWorktrees"]) == (2, 3)
    assert 0 <= body["projection"]["lagSecs"] < 600
    assert elsewhere not in str(body)
    hidden = await viewer.good("GET", f"{PATH}?namespace={elsewhere}")
    assert (hidden["statusCounts"], hidden["recentEvents"]) == ({}, [])
    nobody = world.caller(api, await world.account("nobody"))
    assert (await nobody.good("GET", PATH))["statusCounts"] == {}


async def test_a_supervisor_that_reports_is_counted_with_its_host(
    world: CarriedWorld, api: ApiUnderTest, agent: str, module_database: str
) -> None:
    await record(module_database, contract(await world.contract("work", supervisor={}), namespace=world.namespace))
    caller = world.caller(api, agent)
    life = await caller.good("POST", REGISTER, world.registration("work"))
    await caller.good("POST", address(life), beat(life))

    async with asyncio.timeout(120):
        while True:  # counted every two seconds
            used = (await caller.good("GET", PATH))["resourceUsage"]
            if (used["activeSupervisors"], used["activeDaemons"]) == (1, 1):
                break
            await asyncio.sleep(0.2)


async def test_bad_questions_are_refused(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    caller = world.caller(api, agent)
    for query in ("?namespace=Not%20One", "?namspace=a", f"?{'&'.join(f'namespace=n{n}' for n in range(101))}"):
        assert await caller.refused("GET", PATH + query) == (400, "VALIDATION_FAILED"), query
    assert (await caller.refused("POST", PATH, {}))[0] == 404


async def test_with_the_flag_off_neither_dashboard_nor_batch_is_there(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    caller = world.caller(start_api(feature_flags__monitoring_dashboard="false"), agent)
    document = await caller.good("GET", "/openapi.json")
    assert not {PATH, "/api/v1/contracts/batch"} & set(document["paths"])
    assert (await caller.refused("GET", PATH))[0] in (400, 404)
    assert (await caller.refused("POST", "/api/v1/contracts/batch", {"operation": "pause_all"}))[0] == 404
