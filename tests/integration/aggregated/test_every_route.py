"""Every route asks RBAC about makima.dev, whichever way a call comes: who may nothing gets nothing from any of them.

The routes are those of the API process's own document, so one that is added later is walked too.
"""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from makima.sandbox import Sandbox
from makima.sandbox.certificates import Authority
from makima.sandbox.local_cluster import LocalCluster
from makima.schema.aggregated_api import LOCAL_SERVICE, serving_name
from makima.tls_connections import tls_connector
from tests.support.api_process import ApiUnderTest
from tests.support.carried_world import CarriedWorld
from tests.support.every_operation import Call, Walk
from tests.support.front_proxy import NAME, client_context

pytestmark = pytest.mark.xdist_group("aggregated")

REST, ROOT = "/api/v1/contracts", "/apis/monitor.makima.dev/v1alpha1/contracts"
NOBODY = {"X-Remote-User": "nobody", "X-Remote-Group": "system:authenticated"}
ADMIN = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}


@pytest.fixture
async def walk(api: ApiUnderTest, world: CarriedWorld) -> Walk:
    uid = await world.contract("work", supervisor={})
    await world.life("work", uid, None)
    caller = world.caller(api, await world.account("looker", "makima-view"))
    return Walk(await caller.good("GET", "/openapi.json"), world.namespace, str(uid))


def shows_nothing(status: int, answer: Any) -> bool:
    """Whether an answer is a refusal, or a list without anything in it."""
    if status in (401, 403, 404):
        return True
    if "stored" in answer:  # a batch of heartbeats says it for each
        return answer["stored"] == 0 and {each["error"]["code"] for each in answer["entries"]} == {"FORBIDDEN"}
    return status == 200 and not any(value for value in answer.values() if isinstance(value, list | int))


async def test_with_a_token(walk: Walk, api: ApiUnderTest, world: CarriedWorld) -> None:
    nobody = world.caller(api, await world.account("nobody"))

    async def call(method: str, path: str, body: Any) -> tuple[int, Any]:
        return await nobody.call(method, path, body)

    answers = await walk.answers(call)
    assert len(answers) > 25
    shown = [f"{name}: {answer}" for name, answer in answers.items() if not shows_nothing(*answer)]
    assert not shown, "\n".join(shown)


async def test_through_the_front_proxy(walk: Walk, api: ApiUnderTest, installed_cluster: Sandbox) -> None:
    async with _front_proxy(installed_cluster) as session:
        answers = await walk.answers(_forwarded(session, NOBODY))
        shown = [f"{name}: {answer}" for name, answer in answers.items() if not shows_nothing(*answer)]
        assert not shown, "\n".join(shown)
        as_admin = await walk.answers(_forwarded(session, ADMIN))
    read = {name for name, (status, _) in as_admin.items() if status == 200}
    assert {"get_contract", "get_supervisor_status", "check_completion"} <= read, as_admin
    assert len(read) > 8


async def test_nothing_is_written_in_a_persons_name_through_the_front_proxy(
    walk: Walk, api: ApiUnderTest, world: CarriedWorld, installed_cluster: Sandbox
) -> None:
    """Not even for an administrator: each is told the command that works."""
    before = await world.get("work")
    async with _front_proxy(installed_cluster) as session:
        answers = await walk.answers(_forwarded(session, ADMIN))
    methods = {each.name: each.method for each in walk.operations()}
    written = {name: a for name, a in answers.items() if methods[name] != "GET" and a[0] < 300}
    assert set(written) <= {"check_completion", "sync_supervisor"}, written
    wishes = [name for name, a in answers.items() if "kubectl" in json.dumps(a[1]) and a[0] == 403]
    expected = {"create_contract", "change_status", "change_phase", "set_auto_complete", "delete_contract"}
    assert not expected - set(wishes), {name: answers[name] for name in expected - set(wishes)}
    after = await world.get("work")
    assert (after["spec"], after["metadata"]["generation"]) == (before["spec"], before["metadata"]["generation"])


def _front_proxy(sandbox: Sandbox) -> aiohttp.ClientSession:
    """The front proxy itself: what comes after RBAC of the API server."""
    assert isinstance(sandbox.cluster, LocalCluster)
    listener = sandbox.cluster.api_listener
    pair = Authority(sandbox.folder / "pki", "front-proxy-ca").client("front-proxy-client", NAME)
    connector = tls_connector(client_context(listener.pair.certificate, pair))
    return aiohttp.ClientSession(f"https://localhost:{listener.port}", connector=connector)


def _forwarded(session: aiohttp.ClientSession, who: dict[str, str]) -> Call:
    async def call(method: str, path: str, body: Any) -> tuple[int, Any]:
        place = path.replace(REST, ROOT) if path.startswith(REST) else path
        kind = {"json": body} if body is not None else {}
        async with session.request(
            method, place, headers=who, server_hostname=serving_name(LOCAL_SERVICE), **kind
        ) as answer:
            return answer.status, await answer.json()

    return call
