"""Runs of bulk operations: who may, what is done to whom, what is recorded, and that nothing else happens."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from makima.domain.settings import Settings
from makima.domain.wishes.batch import Selection
from makima.errors import ClusterUnavailable, Conflict, Denied, HistoryUnavailable
from makima.models.credential import Credential
from makima.models.wire.batch import BatchRequest, BatchResult, RunResult
from makima.models.wire.problem import Code
from makima.ports import JsonObject, ObjectKey
from makima.services.access.person import Person
from makima.services.access.rbac import Rbac
from makima.services.access.visibility import Visibility
from makima.services.refusals import Refused
from makima.services.wishes import batch as module
from makima.services.wishes.batch import BatchOperations
from makima.services.wishes.batch_run import BatchPorts, BatchRun, Candidate
from tests.support.builders import a_contract, a_status
from tests.support.fakes import FakeClock
from tests.support.people import FakeReviews, somebody

PAUSE = BatchRequest(operation="pause_all")
TOKEN = Credential("of-alice")


def a_body(number: int, namespace: str = "a") -> JsonObject:
    found = a_contract().model_dump(mode="json", by_alias=True, exclude_none=True)
    found["status"] = a_status().model_dump(mode="json", by_alias=True, exclude_none=True)
    found["metadata"] |= {"name": f"c{number}", "namespace": namespace, "uid": str(UUID(int=number))}
    return found | {"metadata": found["metadata"] | {"resourceVersion": "1"}}


@dataclass
class World:
    """Contracts, what may be written, and what was."""

    objects: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    candidates_: list[Candidate] = field(default_factory=list)
    asked: list[tuple[Selection, tuple[str, ...] | None, int]] = field(default_factory=list)
    runs: dict[UUID, tuple[BatchRun, str, BatchResult | None]] = field(default_factory=dict)
    counted: list[tuple[str, str]] = field(default_factory=list)
    writes: list[tuple[str, Any]] = field(default_factory=list)
    denied: dict[str, Exception] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0
    records_away: int = 0

    def add(self, number: int, namespace: str = "a", **changes: Any) -> UUID:
        body = a_body(number, namespace)
        body["status"] |= changes
        self.objects[namespace, body["metadata"]["name"]] = body
        self.candidates_.append(Candidate(UUID(int=number), namespace, f"c{number}"))
        return UUID(int=number)

    async def candidates(
        self, chosen: Selection, namespaces: tuple[str, ...] | None, settings: Settings, now: datetime, most: int
    ) -> Sequence[Candidate]:
        self.asked.append((chosen, namespaces, most))
        return [item for item in self.candidates_ if namespaces is None or item.namespace in namespaces][:most]

    async def begin(self, run: BatchRun) -> None:
        self.runs[run.id] = (run, "running", None)

    async def finish(self, run: BatchRun, result: BatchResult, word: RunResult, at: datetime) -> None:
        if self.records_away:
            self.records_away -= 1
            raise HistoryUnavailable("away")
        self.runs[run.id] = (run, word, result)

    async def contract(self, namespace: str, name: str) -> JsonObject | None:
        return copy.deepcopy(self.objects.get((namespace, name)))

    async def create_contract(self, credential: Credential, body: JsonObject, manager: str) -> JsonObject:
        raise AssertionError("no bulk operation makes contracts")

    async def patch_contract(
        self, credential: Credential, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> JsonObject:
        assert credential is TOKEN
        same, version, *changes = operations
        assert (same["op"], same["path"]) == ("test", "/metadata/uid")
        await self._write(ObjectKey(namespace, name, same["value"]), version["value"], (manager, changes))
        return {}

    async def delete_contract(self, credential: Credential, key: ObjectKey, resource_version: str | None) -> None:
        assert credential is TOKEN
        await self._write(key, resource_version, None)

    async def _write(self, key: ObjectKey, resource_version: str | None, patch: Any) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if key.name in self.denied:
            raise self.denied[key.name]
        body = self.objects[key.namespace, key.name]
        if self.conflicts.get(key.name, 0):
            self.conflicts[key.name] -= 1
            body["metadata"]["resourceVersion"] = str(int(body["metadata"]["resourceVersion"]) + 1)
            raise Conflict("changed")
        assert body["metadata"]["resourceVersion"] == resource_version
        self.writes.append((key.name, patch))

    def batch_operation(self, operation: str, result: str) -> None:
        self.counted.append((operation, result))

    def operations(self, reviews: FakeReviews, **flags: bool) -> BatchOperations:
        async def namespaces() -> frozenset[str]:
            return frozenset(namespace for namespace, _ in self.objects)

        ports = BatchPorts(self, self, self, self, FakeClock())
        return BatchOperations(ports, Visibility(Rbac(reviews), namespaces), Settings(**flags))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def reviews() -> FakeReviews:
    reviews = FakeReviews()
    reviews.grant("admin", "", "batch")
    reviews.grant("half", "a", "batch")
    reviews.grant("reader", "", "list", "get")
    return reviews


async def test_it_is_done_recorded_and_counted(world: World, reviews: FakeReviews) -> None:
    first, second = world.add(1), world.add(2, "b")
    result = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert (result.affected_count, set(result.affected_ids), result.errors) == (2, {first, second}, ())
    said = [
        {"op": "add", "path": "/spec/suspend", "value": True},
        {"op": "add", "path": "/spec/suspendReason", "value": "pause_all by admin"},
    ]
    assert sorted(world.writes, key=str) == [("c1", ("admin", said)), ("c2", ("admin", said))]
    run, word, recorded = world.runs[result.batch_id]
    assert (run.who.identity.user, run.namespaces, word, recorded) == ("admin", None, "succeeded", result)
    assert world.counted == [("pause_all", "succeeded")]


async def test_what_fails_for_one_is_reported_and_the_others_are_done(world: World, reviews: FakeReviews) -> None:
    ids = [world.add(number) for number in range(1, 5)]
    world.denied = {
        "c1": Denied("forbidden: may not patch", status=403),
        "c2": Denied("INVALID_TRANSITION: no", code="INVALID_TRANSITION", status=422),
        "c3": ClusterUnavailable("away"),
    }
    result = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert result.affected_ids == (ids[3],)
    codes = {error.id: error.code for error in result.errors}
    assert codes == {ids[0]: Code.FORBIDDEN, ids[1]: Code.INVALID_TRANSITION, ids[2]: Code.UNAVAILABLE}
    assert all(error.message for error in result.errors)
    assert world.counted == [("pause_all", "partial")]
    world.denied["c4"] = world.denied["c1"]
    again = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert (again.affected_count, world.runs[again.batch_id][1]) == (0, "failed")


async def test_a_dry_run_says_whom_it_would_be_and_writes_nothing(world: World, reviews: FakeReviews) -> None:
    wanted = world.add(1)
    world.add(2, state="Completed")  # the projection is behind
    request = PAUSE.model_copy(update={"dry_run": True})
    for credential in (TOKEN, None):
        result = await world.operations(reviews).run(Person(somebody("admin"), credential), request)
        assert (result.affected_ids, result.dry_run) == ((wanted,), True)
    assert world.writes == []
    assert {word for _, word, _ in world.runs.values()} == {"dry_run"}


@pytest.mark.parametrize("enhanced", [True, False])
async def test_who_makes_the_writes_is_told_what_a_status_stood_for(
    world: World, reviews: FakeReviews, enhanced: bool
) -> None:
    """With the three old statuses completed stands for Failed, too; by the answer a caller chooses as it was chosen."""
    request = BatchRequest(operation="archive_old", status_filter=["completed"], by_caller=True)
    result = await world.operations(reviews, enhanced_status=enhanced).run(Person(somebody("admin"), None), request)
    states = {"Completed"} if enhanced else {"Completed", "Failed"}
    assert (result.enhanced_contract_status, set(world.asked[0][0].states)) == (enhanced, states)


async def test_half_an_admin_acts_in_their_half(world: World, reviews: FakeReviews) -> None:
    mine = world.add(1, "a")
    world.add(2, "b")
    result = await world.operations(reviews).run(Person(somebody("half"), TOKEN), PAUSE)
    assert result.affected_ids == (mine,)
    assert world.asked[0][1] == ("a",)


@pytest.mark.parametrize(
    ("who", "namespaces", "named"),
    [
        ("half", ("a", "b"), "in b"),
        ("half", ("b",), "in b"),
        ("reader", (), "in any namespace"),
        ("nobody", ("a",), "in a"),
    ],
)
async def test_who_may_not_is_refused_and_nothing_happens(
    world: World, reviews: FakeReviews, who: str, namespaces: tuple[str, ...], named: str
) -> None:
    world.add(1, "a")
    world.add(2, "b")
    request = PAUSE.model_copy(update={"namespaces": namespaces})
    with pytest.raises(Refused) as caught:
        await world.operations(reviews).run(Person(somebody(who), TOKEN), request)
    assert (caught.value.problem.code, named in caught.value.problem.message) == (Code.FORBIDDEN, True)
    assert (world.writes, world.runs, world.counted) == ([], {}, [("pause_all", "refused")])


async def test_an_address_with_a_namespace_limits_the_run(world: World, reviews: FakeReviews) -> None:
    mine = world.add(1, "a")
    world.add(2, "b")
    admin = Person(somebody("admin"), TOKEN)
    result = await world.operations(reviews).run(admin, PAUSE, frozenset({"a"}))
    assert (result.affected_ids, world.asked[0][1]) == ((mine,), ("a",))
    request = PAUSE.model_copy(update={"namespaces": ("b",)})
    with pytest.raises(Refused) as caught:
        await world.operations(reviews).run(admin, request, frozenset({"a"}))
    assert (caught.value.problem.code, caught.value.problem.field) == (Code.VALIDATION_FAILED, "namespaces")


async def test_without_a_token_to_hand_on_the_command_is_named(world: World, reviews: FakeReviews) -> None:
    world.add(1)
    with pytest.raises(Refused) as caught:
        await world.operations(reviews).run(Person(somebody("admin")), PAUSE)
    assert caught.value.problem.code is Code.FORBIDDEN
    assert "kubectl contracts pause" in (caught.value.problem.hint or "")
    assert world.writes == []


async def test_a_token_that_the_api_server_does_not_take_ends_the_run(world: World, reviews: FakeReviews) -> None:
    for number in range(1, 101):
        world.add(number)
        world.denied[f"c{number}"] = Denied("who is that?", status=401)
    with pytest.raises(Refused) as caught:
        await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert caught.value.problem.code is Code.FORBIDDEN
    [(_, word, result)] = world.runs.values()
    assert word == "failed"
    assert result is not None
    assert len(result.errors) <= 2 * module.AT_A_TIME


async def test_what_is_taken_away_is_removed_where_it_is_there(world: World, reviews: FakeReviews) -> None:
    for number in (1, 2):
        world.add(number, state="Paused")
        world.objects["a", f"c{number}"]["spec"]["suspend"] = True
    world.objects["a", "c2"]["spec"]["suspendReason"] = "holidays"
    await world.operations(reviews).run(Person(somebody("admin"), TOKEN), BatchRequest(operation="resume_all"))
    resume = {"op": "add", "path": "/spec/suspend", "value": False}
    gone = {"op": "remove", "path": "/spec/suspendReason"}
    assert dict(world.writes) == {"c1": ("admin", [resume]), "c2": ("admin", [resume, gone])}


async def test_a_contract_that_changes_meanwhile_is_looked_at_again(world: World, reviews: FakeReviews) -> None:
    world.add(1)
    world.add(2)
    world.conflicts = {"c1": 2, "c2": 1000}
    result = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert result.affected_ids == (UUID(int=1),)
    assert [(error.id, error.code) for error in result.errors] == [(UUID(int=2), Code.CONFLICT)]


async def test_what_is_gone_or_another_contract_of_that_name_is_left_out(world: World, reviews: FakeReviews) -> None:
    world.add(1)
    world.add(2)
    del world.objects["a", "c1"]
    world.objects["a", "c2"]["metadata"]["uid"] = str(UUID(int=99))
    result = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert (result.affected_ids, result.errors, world.writes) == ((), (), [])


async def test_a_run_is_bounded_and_says_that_there_are_more(world: World, reviews: FakeReviews) -> None:
    for number in range(1, 31):
        world.add(number)
    request = PAUSE.model_copy(update={"limit": 20})
    result = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), request)
    assert (result.affected_count, result.more) == (20, True)
    assert 1 < world.most_at_once <= module.AT_A_TIME
    request = PAUSE.model_copy(update={"limit": 30})
    assert not (await world.operations(reviews).run(Person(somebody("admin"), TOKEN), request)).more


async def test_a_run_that_takes_too_long_ends_and_says_so(
    world: World, reviews: FakeReviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUN_SECONDS", 0.0)
    world.add(1)
    result = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert (result.affected_count, result.more) == (0, True)


async def test_a_call_that_ends_midway_is_recorded_with_what_it_did(world: World, reviews: FakeReviews) -> None:
    world.add(1)
    entered, held = asyncio.Event(), asyncio.Event()
    read = world.contract

    async def slow(namespace: str, name: str) -> JsonObject | None:
        entered.set()
        await held.wait()
        return await read(namespace, name)

    world.contract = slow  # type: ignore[method-assign]  # this one is slow
    run = asyncio.create_task(world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE))
    await entered.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [word for _, word, _ in world.runs.values()] == ["interrupted"]
    assert world.counted == [("pause_all", "interrupted")]


async def test_a_result_is_recorded_also_if_postgres_was_away_for_a_moment(
    world: World, reviews: FakeReviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr(module.asyncio, "sleep", at_once)
    world.add(1)
    world.records_away = 2
    result = await world.operations(reviews).run(Person(somebody("admin"), TOKEN), PAUSE)
    assert world.runs[result.batch_id][1] == "succeeded"


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("supervisors", [True, False])
async def test_without_supervisors_a_restart_of_stale_ones_does_nothing_and_says_so(
    world: World, reviews: FakeReviews, supervisors: bool, dry_run: bool
) -> None:
    carrier = {"name": "c1", "uid": str(UUID(int=9)), "incarnation": 3}
    world.add(1, lastActivityTime="2020-01-01T00:00:00Z", supervisorRef=carrier, state="Active")
    operations = world.operations(reviews, supervisor_heartbeat=supervisors)
    call = operations.run(Person(somebody("admin"), TOKEN), BatchRequest(operation="restart_stale", dry_run=dry_run))
    if supervisors:
        assert (await call).affected_count == 1 and len(world.writes) == (0 if dry_run else 1)
        return
    with pytest.raises(Refused) as refused:
        await call
    assert refused.value.problem.code is Code.VALIDATION_FAILED
    assert "supervisor_heartbeat is off" in refused.value.problem.message
    assert not world.writes and not world.runs
