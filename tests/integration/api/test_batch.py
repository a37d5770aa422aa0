"""Bulk operations on a real API server: as an admin, as half an admin, as nobody; each write is the caller's own."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from makima.errors import NotFound
from tests.support.api_process import ApiUnderTest, CallerOf, token_of
from tests.support.batch_world import BatchWorld
from tests.support.carried_world import CarriedWorld

PATH = "/api/v1/contracts/batch"


@pytest.fixture
async def batch(world: CarriedWorld, api: ApiUnderTest, module_database: str) -> BatchWorld:
    """The test's namespace and another one."""
    name = f"other-{uuid4().hex[:12]}"
    await world.admin.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
    return BatchWorld(world, CarriedWorld(world.admin, name, world.store, world.http), api, module_database)


async def dry_run(batch: BatchWorld, admin: CallerOf, name: str, **request: Any) -> list[str]:
    """Whom an operation would be about; it is recorded as a dry run, and the contract stays as it is."""
    before = await batch.mine.get(name)
    told = await admin.good("POST", PATH, {**request, "dry_run": True})
    assert (told["dry_run"], told["affected_count"], told["errors"]) == (True, len(told["affected_ids"]), [])
    assert batch.recorded(told["batch_id"])["result"] == "dry_run"
    assert await batch.mine.get(name) == before
    found: list[str] = told["affected_ids"]
    return found


async def test_pause_and_resume_are_written_as_the_caller_and_recorded(batch: BatchWorld) -> None:
    ids = {str(await batch.contract(batch.mine, name)) for name in ("one", "two")}
    admin = await batch.caller("admin", ("makima-admin",))
    assert set(await dry_run(batch, admin, "one", operation="pause_all")) == ids
    done = await admin.good("POST", PATH, {"operation": "pause_all"})
    assert (done["operation"], done["affected_count"], set(done["affected_ids"])) == ("pause_all", 2, ids)
    assert done["errors"] == []
    who = f"system:serviceaccount:{batch.mine.namespace}:admin"
    body = await batch.mine.get("one")
    assert body["spec"]["suspendReason"] == f"pause_all by {who}"
    assert who in {entry["manager"] for entry in body["metadata"]["managedFields"]}
    row = batch.recorded(done["batch_id"])
    assert (row["operation"], row["requested_by"], row["namespaces"]) == ("pause_all", who, [batch.mine.namespace])
    assert (row["result"], row["affected_count"], {str(uid) for uid in row["affected_ids"]}) == ("succeeded", 2, ids)
    assert row["started_at"] <= row["finished_at"]
    for name in ("one", "two"):
        await batch.mine.drive(name)
        await batch.record(batch.mine, name)
    assert (await batch.mine.status("one"))["state"] == "Paused"
    assert set(await dry_run(batch, admin, "one", operation="resume_all")) == ids
    back = await admin.good("POST", PATH, {"operation": "resume_all"})
    assert set(back["affected_ids"]) == ids
    assert not (await batch.spec(batch.mine, "one")).get("suspend")


async def test_half_an_admin_acts_where_they_may(batch: BatchWorld) -> None:
    mine = str(await batch.contract(batch.mine, "one"))
    await batch.contract(batch.other, "two")
    half = await batch.caller("half", ("makima-admin",), ("makima-edit",))
    both = {"operation": "pause_all", "namespaces": [batch.mine.namespace, batch.other.namespace]}
    assert await half.refused("POST", PATH, both) == (403, "FORBIDDEN")
    assert not (await batch.spec(batch.mine, "one")).get("suspend")
    done = await half.good("POST", PATH, {"operation": "pause_all"})
    assert (done["affected_ids"], done["errors"]) == ([mine], [])
    assert not (await batch.spec(batch.other, "two")).get("suspend")


async def test_the_verb_alone_allows_no_write(batch: BatchWorld) -> None:
    done_id = str(await batch.contract(batch.mine, "one"))
    denied_id = str(await batch.contract(batch.other, "two"))
    caller = await batch.caller("bulk", ("makima-batch", "makima-edit"), ("makima-batch",))
    places = [batch.mine.namespace, batch.other.namespace]
    found = await caller.good("POST", PATH, {"operation": "pause_all", "namespaces": places})
    assert found["affected_ids"] == [done_id]
    assert [(error["id"], error["code"]) for error in found["errors"]] == [(denied_id, "FORBIDDEN")]
    row = batch.recorded(found["batch_id"])
    assert (row["result"], [error["id"] for error in row["errors"]]) == ("partial", [denied_id])
    assert not (await batch.spec(batch.other, "two")).get("suspend")


async def test_who_has_no_right_or_no_token_to_hand_on_changes_nothing(batch: BatchWorld) -> None:
    await batch.contract(batch.mine, "one")
    viewer = await batch.caller("viewer", ("makima-view",))
    assert await viewer.refused("POST", PATH, {"operation": "pause_all"}) == (403, "FORBIDDEN")
    assert await viewer.refused("POST", PATH, {"operation": "pause_all", "dry_run": True}) == (403, "FORBIDDEN")
    token = await batch.mine.account("ours-only", "makima-admin")  # of makima's audience: nothing for the API server
    status, answer = await batch.mine.caller(batch.api, token).call("POST", PATH, {"operation": "pause_all"})
    assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    assert "kubectl contracts pause" in answer["error"]["hint"]
    assert not (await batch.spec(batch.mine, "one")).get("suspend")


async def test_old_ones_are_archived_then_archived_ones_are_deleted(batch: BatchWorld) -> None:
    old = str(await batch.failed(batch.mine, "old"))
    await batch.contract(batch.mine, "under-way")
    admin = await batch.caller("admin", ("makima-admin",))
    young = await admin.good("POST", PATH, {"operation": "archive_old", "older_than_hours": 87_600})
    assert young["affected_ids"] == []
    assert await dry_run(batch, admin, "old", operation="archive_old") == [old]
    done = await admin.good("POST", PATH, {"operation": "archive_old", "status_filter": ["completed", "failed"]})
    assert done["affected_ids"] == [old]
    await batch.mine.drive("old")
    await batch.record(batch.mine, "old")
    assert (await admin.good("POST", PATH, {"operation": "cleanup_archived"}))["affected_ids"] == []  # just archived
    assert await dry_run(batch, admin, "old", operation="cleanup_archived", older_than_hours=0) == [old]
    gone = await admin.good("POST", PATH, {"operation": "cleanup_archived", "older_than_hours": 0})
    assert gone["affected_ids"] == [old]
    with pytest.raises(NotFound):
        await batch.mine.get("old")
    again = await admin.good("POST", PATH, {"operation": "cleanup_archived", "older_than_hours": 0})
    assert (again["affected_ids"], again["errors"]) == ([], [])  # the projection does not know yet


async def test_supervisors_of_stale_contracts_are_restarted_once(batch: BatchWorld) -> None:
    uid = await batch.mine.contract("silent", supervisor={}, staleAfterSeconds=1)
    supervisor = (await batch.mine.get("silent", "supervisors"))["metadata"]["uid"]
    await batch.mine.life("silent", uid, None)
    reference = {"name": "silent", "uid": supervisor, "incarnation": 1}
    await batch.put_status(batch.mine, "silent", {"supervisorRef": reference})
    admin = await batch.caller("admin", ("makima-admin",))
    await asyncio.sleep(1.5)  # longer than its threshold
    assert await dry_run(batch, admin, "silent", operation="restart_stale") == [str(uid)]
    done = await admin.good("POST", PATH, {"operation": "restart_stale"})
    assert done["affected_ids"] == [str(uid)], json.dumps(done)
    assert (await batch.spec(batch.mine, "silent"))["restartSupervisor"] == {"expectedIncarnation": 1}
    assert (await admin.good("POST", PATH, {"operation": "restart_stale"}))["affected_ids"] == []


async def test_whose_credential_cannot_be_forwarded_writes_alone_and_reports(batch: BatchWorld) -> None:
    uid = str(await batch.contract(batch.mine, "one"))
    await batch.caller("admin", ("makima-admin",))
    ours = await token_of(batch.mine.admin, batch.mine.namespace, "admin")
    admin = batch.mine.caller(batch.api, ours)
    told = await admin.good("POST", PATH, {"operation": "pause_all", "by_caller": True})
    assert (told["affected_ids"], told["dry_run"]) == ([uid], False)
    assert not (await batch.spec(batch.mine, "one")).get("suspend")  # it is the caller's to write
    row = batch.recorded(told["batch_id"])
    assert (row["result"], row["finished_at"]) == ("running", None)
    report = {"batch_id": told["batch_id"], "affected_ids": [uid]}
    another = await batch.caller("another", ("makima-admin",))
    assert await another.refused("POST", f"{PATH}/report", report) == (404, "NOT_FOUND")
    assert (await admin.good("POST", f"{PATH}/report", report))["result"] == "succeeded"
    row = batch.recorded(told["batch_id"])
    assert (row["result"], [str(one) for one in row["affected_ids"]]) == ("succeeded", [uid])
    assert await admin.refused("POST", f"{PATH}/report", report) == (404, "NOT_FOUND")


async def test_a_run_of_the_service_itself_takes_no_report(batch: BatchWorld) -> None:
    await batch.contract(batch.mine, "one")
    admin = await batch.caller("admin", ("makima-admin",))
    done = await admin.good("POST", PATH, {"operation": "pause_all"})
    report = {"batch_id": done["batch_id"], "affected_ids": []}
    assert await admin.refused("POST", f"{PATH}/report", report) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operation": "delete_everything"},
        {"operation": "pause_all", "older_than_hours": 1},
        {"operation": "archive_old", "older_than_hours": -1},
        {"operation": "archive_old", "older_than_hours": "168"},
        {"operation": "archive_old", "status_filter": ["active"]},
        {"operation": "archive_old", "status_filter": ["nonsense"]},
        {"operation": "pause_all", "dry_run": "no"},
        {"operation": "pause_all", "namespaces": ["No Such"]},
        {"operation": "pause_all", "limit": 0},
        {"operation": "pause_all", "surprise": True},
        [],
        b"{",
    ],
    ids=str,
)
async def test_bad_bodies_are_refused_before_anything_happens(batch: BatchWorld, body: Any) -> None:
    await batch.contract(batch.mine, "one")
    admin = await batch.caller("admin", ("makima-admin",))
    assert await admin.refused("POST", PATH, body) == (400, "VALIDATION_FAILED")
    assert not (await batch.spec(batch.mine, "one")).get("suspend")


async def test_runs_are_counted_by_what_became_of_them(batch: BatchWorld) -> None:
    await batch.contract(batch.mine, "one")
    admin = await batch.caller("admin", ("makima-admin",))
    await admin.good("POST", PATH, {"operation": "pause_all"})
    viewer = await batch.caller("viewer", ("makima-view",))
    await viewer.refused("POST", PATH, {"operation": "pause_all"})
    async with batch.mine.http.get(f"http://127.0.0.1:{batch.api.ports['metrics']}/metrics") as answer:
        text = await answer.text()
    for result in ("succeeded", "refused"):
        assert f'batch_operations_total{{operation="pause_all",result="{result}"}}' in text
