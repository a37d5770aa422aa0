"""Exports: everything but secrets, bounded, and honest about it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from makima.models.enums import TaskState
from makima.models.history import HistoryEvent
from makima.models.supervision import StoredTask
from tests.support.fakes import START
from tests.support.rest_world import RestWorld


async def test_an_export_has_everything_but_secrets() -> None:
    world = RestWorld()
    container = {
        "name": "agent",
        "image": "x",
        "env": [{"name": "KEY", "value": "s3cret"}, {"name": "REF", "secretKeyRef": {"name": "s", "key": "k"}}],
    }
    uid = world.contract(
        supervisor={"template": {"containers": [container]}},
        taskTemplates=[{"name": "t", "template": {"containers": [container]}}],
    )
    body = world.cluster.objects["ns", "work"]
    body["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    body["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "s3cret", "note": "kept"}
    for number in range(1234):
        world.history.happened(HistoryEvent(uuid4(), uid, "ns", "work", number, "StatusChanged", START, "ann"))
    world.history.tasks.append(StoredTask(UUID(int=1), uid, "plan", "t", TaskState.RUNNING, START))
    found = await world.good("ray", "GET", "/ns:work/export")
    assert "s3cret" not in str(found)
    assert found["resource"]["metadata"]["annotations"] == {"note": "kept"}
    assert [event["version"] for event in found["history"]] == list(range(1234))
    assert len(found["tasks"]) == 1 and found["truncated"] == [] and found["messages"] is None
    world.gone()
    after = await world.good("ray", "GET", f"/{uid}/export")
    assert after["resource"] is None and len(after["history"]) == 1234


async def test_an_export_ends_and_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makima.services.reads.contract_export.MOST", 500)
    world = RestWorld()
    uid = world.contract()
    for number in range(600):
        world.history.happened(HistoryEvent(uuid4(), uid, "ns", "work", number, "StatusChanged", START, "ann"))
    found = await world.good("ray", "GET", "/ns:work/export")
    assert (len(found["history"]), found["truncated"]) == (500, ["history"])


async def test_a_conversation_is_not_exported_where_there_are_no_supervisors() -> None:
    world = RestWorld()
    world.contract()
    assert await world.refused("ray", "GET", "/ns:work/export?messages=true") == (400, "VALIDATION_FAILED")
