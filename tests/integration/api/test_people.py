"""People over REST on a real API server with a real operator: everybody as themselves, by token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import aiohttp
import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import path_of
from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest, CallerOf, StartApi, make_account, token_of
from tests.support.connected import connected
from tests.support.kube import RBAC, Body, until
from tests.support.operator_process import OperatorUnderTest, operators

ROOT = "/api/v1/contracts"


@pytest.fixture(scope="module")
def home(installed_cluster: Sandbox) -> str:
    """The namespace that the module's operator drives."""
    name = f"home-{uuid4().hex[:10]}"

    async def create() -> None:
        async with await connected(installed_cluster.cluster.kubeconfig) as connection:
            await connection.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})

    asyncio.run(create())
    return name


@pytest.fixture(scope="module")
def operator(
    installed_cluster: Sandbox, home: str, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorUnderTest]:
    """The module's operator, leading."""
    with operators(installed_cluster, home, module_database, tmp_path_factory.mktemp("operators")) as start:
        yield start().wait_leading()


@dataclass(frozen=True)
class People:
    """Who calls: all of `home`, but for the stranger, who may do everything elsewhere."""

    home: str
    admin: Connection
    editor: CallerOf
    confirmer: CallerOf
    reader: CallerOf
    stranger: CallerOf
    unforwardable: CallerOf

    async def created(self, **spec: object) -> Body:
        """A contract, made by the editor and accepted by the operator."""
        body = {"namespace": self.home, "name": f"work-{uuid4().hex[:8]}", "spec": spec}
        status, made = await self.editor.call("POST", f"{ROOT}?wait=30", body)
        assert (status, made["accepted"]) == (201, True), made
        return made  # type: ignore[no-any-return]

    async def resource(self, made: Body) -> Body:
        """The resource itself."""
        return await self.admin.request("GET", path_of("contracts", self.home, made["name"]))


async def _account(admin: Connection, namespace: str, name: str, *roles: str) -> None:
    await make_account(admin, namespace, name)
    for role in roles:
        binding = {
            "metadata": {"name": f"{name}-{role}"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        }
        await admin.request("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", body=binding)


@pytest.fixture
async def people(
    admin: Connection, namespace: str, home: str, api: ApiUnderTest, operator: OperatorUnderTest
) -> AsyncIterator[People]:
    """Accounts of this test's own, whose roles the API server goes by already."""
    tag = uuid4().hex[:6]
    async with aiohttp.ClientSession() as http:

        async def caller(where: str, name: str, *roles: str, audience: str = "") -> CallerOf:
            await _account(admin, where, f"{name}-{tag}", *roles)
            return CallerOf(http, api.url, await token_of(admin, where, f"{name}-{tag}", audience=audience))

        found = People(
            home,
            admin,
            editor=await caller(home, "editor", "makima-edit"),
            confirmer=await caller(home, "confirmer", "makima-edit", "makima-confirm"),
            reader=await caller(home, "reader", "makima-view"),
            stranger=await caller(namespace, "stranger", "makima-edit", "makima-confirm"),
            unforwardable=await caller(home, "unforwardable", "makima-edit", audience="makima.dev"),
        )
        yield found


async def test_a_whole_life_by_rest(people: People) -> None:
    made = await people.created(description="a whole life")
    path = f"{ROOT}/{made['uid']}"
    missing = await people.editor.good("GET", f"{path}/phase-readiness")
    assert (missing["phase"], missing["ready"], missing["missing"]) == ("plan", False, ["Deliverable: plan-document"])
    for identifier in ("plan-document", "pull-request"):
        answer = await people.editor.good("POST", f"{path}/deliverables?wait=30", {"id": identifier})
        assert (answer["result"], answer["deliverable"]["completed"]) == ("success", True)
        await until("the phase moved on", partial(_left, people, path, identifier))
    detail = await people.reader.good("GET", path)
    assert (detail["status"], detail["state"]) == ("completed", "completed")
    gone = await people.editor.good("DELETE", path)
    assert gone["deleted"]
    await until("the history knows that it is gone", lambda: _gone(people, path))
    page = await people.reader.good("GET", f"{path}/events?limit=500")
    types = [event["type"] for event in page["events"]]
    assert types[0] == "ContractCreated" and types.count("DeliverableCompleted") == 2
    assert [event["seq"] for event in page["events"]] == sorted({event["seq"] for event in page["events"]})


async def _left(people: People, path: str, identifier: str) -> bool:
    detail = await people.reader.good("GET", path)
    return bool(detail["phase"] == "execute" if identifier == "plan-document" else detail["state"] == "completed")


async def _gone(people: People, path: str) -> bool:
    return (await people.reader.good("GET", path))["deleted_at"] is not None


async def test_the_list_has_what_the_caller_may_see(people: People) -> None:
    made = await people.created()
    await until("the projection has it", lambda: _listed(people, made))
    page = await people.reader.good("GET", f"{ROOT}?namespace={people.home}&name={made['name']}&status=created")
    assert [one["uid"] for one in page["contracts"]] == [made["uid"]]
    assert page["projection"]["lag_seconds"] is not None
    mine = await people.stranger.good("GET", ROOT)
    assert made["uid"] not in [one["uid"] for one in mine["contracts"]]
    assert await people.stranger.refused("GET", f"{ROOT}?namespace={people.home}") == (403, "FORBIDDEN")
    export = await people.reader.good("GET", f"{ROOT}/{made['uid']}/export")
    assert export["resource"]["metadata"]["uid"] == made["uid"] and export["history"]
    assert "managedFields" not in export["resource"]["metadata"]


async def _listed(people: People, made: Body) -> bool:
    page = await people.reader.good("GET", f"{ROOT}?name={made['name']}")
    return [one["uid"] for one in page["contracts"]] == [made["uid"]] and page["projection"]["recorded_at"] is not None


async def test_the_guard_by_token(people: People) -> None:
    made = await people.created(phaseGuard=True)
    path = f"{ROOT}/{made['uid']}"
    await people.editor.good("POST", f"{path}/deliverables?wait=30", {"id": "plan-document"})
    version = (await people.reader.good("GET", path))["version"]
    body = {"expected_version": version}
    status, guard = await people.editor.call("POST", f"{path}/phase", body)
    assert (status, guard["error"]["code"]) == (409, "PHASE_GUARD_REQUIRED")
    assert [(one["id"], one["completed"]) for one in guard["error"]["details"]["deliverables"]] == [
        ("plan-document", True)
    ]
    confirmed = {**body, "confirmed": True, "reason": "looked at it"}
    assert await people.editor.refused("POST", f"{path}/phase", confirmed) == (403, "FORBIDDEN")
    assert await people.reader.refused("POST", f"{path}/phase", confirmed) == (403, "FORBIDDEN")
    assert await people.stranger.refused("POST", f"{path}/phase", confirmed) == (404, "CONTRACT_NOT_FOUND")
    assert "advance" not in (await people.resource(made))["spec"]
    answer = await people.confirmer.good("POST", f"{path}/phase?wait=30", confirmed)
    assert (answer["result"], answer["contract"]["phase"]) == ("success", "execute")
    last = (await people.resource(made))["status"]["transitions"][-1]
    assert "confirmer" in last["actor"]


async def test_a_reader_reads_and_changes_nothing(people: People) -> None:
    made = await people.created()
    path = f"{ROOT}/{made['uid']}"
    before = await people.resource(made)
    for rest in ("", "/deliverables", "/tasks", "/questions", "/events", "/phase-readiness"):
        await people.reader.good("GET", path + rest)
    for method, rest, body in WRITES:
        assert await people.reader.refused(method, path + rest, body) == (403, "FORBIDDEN"), rest
    assert await people.reader.refused("POST", ROOT, {"namespace": people.home, "name": "x"}) == (403, "FORBIDDEN")
    assert await people.resource(made) == before


WRITES: list[tuple[str, str, Body | None]] = [
    ("POST", "/phase", {"expected_version": 1, "force": True}),
    ("POST", "/status", {"status": "paused"}),
    ("POST", "/deliverables", {"id": "plan-document"}),
    ("PUT", "/auto-complete", {"enabled": False}),
    ("DELETE", "", None),
]


async def test_a_stranger_learns_and_changes_nothing(people: People) -> None:
    made = await people.created()
    before = await people.resource(made)
    for where, expected in ((made["uid"], (404, "CONTRACT_NOT_FOUND")), (f"{people.home}:{made['name']}", None)):
        for method, rest, body in [*WRITES, ("GET", "", None), ("GET", "/events", None)]:
            found = await people.stranger.refused(method, f"{ROOT}/{where}{rest}", body)
            assert found == (expected or (403, "FORBIDDEN")), (where, rest)
    assert await people.stranger.refused("POST", ROOT, {"namespace": people.home, "name": "x"}) == (403, "FORBIDDEN")
    assert await people.resource(made) == before


async def test_a_token_that_can_not_be_forwarded_reads_and_gets_the_command(people: People) -> None:
    made = await people.created()
    before = await people.resource(made)
    path = f"{ROOT}/{made['uid']}"
    await people.unforwardable.good("GET", path)
    for method, rest, body in WRITES:
        status, answer = await people.unforwardable.call(method, path + rest, body)
        assert (status, answer["error"]["code"]) == (403, "FORBIDDEN"), rest
        assert "kubectl" in answer["error"]["hint"], rest
    assert await people.resource(made) == before


async def test_pause_resume_archive_and_conflicts(people: People) -> None:
    made = await people.created()
    path = f"{ROOT}/{made['uid']}"
    paused = await people.editor.good("POST", f"{path}/status?wait=30", {"status": "paused", "reason": "lunch"})
    assert (paused["result"], paused["contract"]["state"]) == ("success", "paused")
    back = await people.editor.good("POST", f"{path}/status?wait=30", {"status": "active"})
    assert (back["result"], back["contract"]["state"]) == ("success", "created")
    status, conflict = await people.editor.call("POST", f"{path}/phase", {"expected_version": 1, "force": True})
    assert (status, conflict["error"]["code"]) == (409, "VERSION_CONFLICT")
    assert conflict["error"]["details"] == {"expected": 1, "actual": 3, "current_phase": "plan"}
    forced = await people.editor.good("POST", f"{path}/phase?wait=30", {"expected_version": 3, "force": True})
    assert forced["contract"]["phase"] == "execute"
    status, illegal = await people.editor.call("POST", f"{path}/status", {"status": "archived"})
    assert (status, illegal["error"]["code"]) == (400, "INVALID_TRANSITION")
    await people.editor.good("POST", f"{path}/status?wait=30", {"status": "paused"})
    archived = await people.editor.good("POST", f"{path}/status?wait=30", {"status": "archived"})
    assert (archived["contract"]["status"], archived["contract"]["state"]) == ("archived", "archived")


async def test_what_the_api_server_refuses_is_answered_in_the_envelope(people: People) -> None:
    name = f"bad-{uuid4().hex[:8]}"
    specs: list[tuple[Body, str]] = [
        ({"unknown": 1}, "unknown"),
        ({"type": 7}, "type"),
        ({"phases": []}, "phases"),
        ({"advance": {"to": "execute", "expectedVersion": 1}}, "advance"),
        ({"deliverables": [{"phase": "plan", "id": "nonsense"}]}, "nonsense"),
        ({"supervisor": {"template": {"containers": [{"name": "a", "image": "x", "privileged": True}]}}}, "privileged"),
    ]
    for spec, said in specs:
        status, answer = await people.editor.call("POST", ROOT, {"namespace": people.home, "name": name, "spec": spec})
        assert status == 400, (spec, answer)
        assert answer["error"]["code"] in ("VALIDATION_FAILED", "INVALID_DELIVERABLE")
        assert said in answer["error"]["message"], spec
    assert await people.editor.refused("GET", f"{ROOT}/{people.home}:{name}") == (404, "CONTRACT_NOT_FOUND")


async def test_with_the_operator_gone_wishes_are_recorded(people: People, operator: OperatorUnderTest) -> None:
    made = await people.created()
    path = f"{ROOT}/{made['uid']}"
    operator.stop()
    try:
        status, answer = await people.editor.call("POST", f"{path}/status?wait=0.2", {"status": "paused"})
        assert (status, answer["result"]) == (202, "pending")
        assert (await people.resource(made))["spec"]["suspend"] is True
    finally:
        operator.start().wait_leading(120)
    await until("it is paused", lambda: _paused(people, path), 120)


async def _paused(people: People, path: str) -> bool:
    return bool((await people.reader.good("GET", path))["state"] == "paused")


async def test_nobodys_token_is_logged(people: People, api: ApiUnderTest, start_api: StartApi) -> None:
    made = await people.created()
    for who in (people.editor, people.reader, people.stranger, people.unforwardable):
        await who.call("POST", f"{ROOT}/{made['uid']}/status", {"status": "paused"})
    loud = start_api(api__log_level="DEBUG")
    caller = CallerOf(people.editor.session, loud.url, people.editor.token)
    await caller.good("POST", f"{ROOT}/{people.home}:{made['name']}/status?wait=30", {"status": "active"})
    for process in (api, loud):
        text = process.log.read_text()
        for who in (people.editor, people.reader, people.stranger, people.unforwardable):
            assert who.token is not None and who.token not in text and who.token.split(".")[2] not in text
