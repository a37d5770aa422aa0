"""API service, operator, Postgres and API server, all away at once for longer than the timeout: that kills nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from makima.sandbox import Sandbox
from tests.support.kills.run import Run
from tests.support.kills.suite import PHASES
from tests.support.kills.supervisors import OnThisMachine
from tests.support.kills.world import World, contract_id, ready, world
from tests.support.kube import Body

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("faults")]

TIMEOUT, OUTAGE = 12, 16.0
"""Seconds. A gap of ten seconds in the coverage is the shortest that counts (ADR 0006)."""


@pytest.fixture
async def here(own_sandbox: Sandbox, namespace: str, tmp_path: Path) -> AsyncIterator[World]:
    """Operator, two API replicas and a Postgres, around a supervisor that is a process of this machine."""
    async with world(own_sandbox, namespace, OnThisMachine(own_sandbox, tmp_path), tmp_path) as found:
        yield found


async def test_an_outage_of_everything_kills_nobody(here: World) -> None:
    body = await here.driven.create(
        "work", phases=PHASES, supervisor={"heartbeatPeriodSeconds": 1, "heartbeatTimeoutSeconds": TIMEOUT}
    )
    here.crossing.expect(Run("work", contract_id(body), []))
    await here.supervisors.begin("work")
    await here.driven.until("work", lambda status: status.get("questions"), 60)
    await _outage(here)
    back = datetime.now(UTC)
    supervisor = await _heard_after(here, back)
    assert (supervisor["incarnation"], supervisor.get("restarts", 0)) == (1, 0)
    assert supervisor["state"] == "WaitingForUser"
    question = (await here.driven.status("work"))["questions"][0]
    await here.driven.admin.patch_spec("work", answers=[{"questionId": question["id"], "answer": "left"}])
    await here.driven.until("work", lambda status: status["state"] == "Completed", 60)
    assert (await _supervisor(here))["incarnation"] == 1


async def _outage(here: World) -> None:
    """Nobody is there for so long, whoever tries to start again."""
    here.sandbox.cluster.apiserver.kill()
    here.postgres.server.kill()
    for process in (*here.apis, here.operator):
        await asyncio.to_thread(process.kill)
    await asyncio.sleep(OUTAGE)  # how long it lasts
    await asyncio.to_thread(here.postgres.server.start)
    await asyncio.to_thread(here.sandbox.cluster.apiserver.start)
    for process in (*here.apis, here.operator):
        await ready(process)


async def _supervisor(here: World) -> Body:
    admin = here.driven.admin
    path = f"/apis/makima.dev/v1alpha1/namespaces/{admin.namespace}/supervisors/work"
    status: Body = (await admin.connection.request("GET", path))["status"]
    return status


async def _heard_after(here: World, moment: datetime) -> Body:
    """How it is shown with a heartbeat of after this moment, and after whoever is to be found dead was found dead."""
    deadline = asyncio.get_running_loop().time() + 60
    until = moment.timestamp() + TIMEOUT
    while True:
        status = await _supervisor(here)
        heard = datetime.fromisoformat(status["lastHeartbeatTime"])
        if heard.timestamp() > until:
            return status
        assert asyncio.get_running_loop().time() < deadline, f"no heartbeat is shown after {until}: {status}"
        await asyncio.sleep(0.2)
