"""The operator's use cases under virtual time: what is written, how often, and what an outage does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from makima.domain.settings import Settings
from makima.errors import Denied
from makima.models.contract import Contract
from makima.models.contract_type import ContractType
from makima.ports import JsonObject
from makima.services.reconcile.knowledge import Known
from makima.services.reconcile.operator import ContractOperator
from makima.services.reconcile.reconciler import Ports
from makima.services.reconcile.resync import resync
from tests.support.builders import a_phase, a_type, an_id
from tests.support.fakes import START, FakeClock, FakeCluster, FakeEvents, FakeHistory, FakeMetrics, FakeValidators

AUTO = {"gate": {"autoAdvance": True}}


class Stage:
    """An operator among fakes, its watch connected to the fake API server."""

    def __init__(self, settings: Settings) -> None:
        self.clock, self.cluster, self.history = FakeClock(), FakeCluster(), FakeHistory()
        self.events, self.metrics = FakeEvents(), FakeMetrics()
        self.validators = FakeValidators(self.clock)
        self._ports = Ports(self.cluster, self.events, self.validators, self.metrics, self.clock)
        self._settings = settings
        self._connect()

    def _connect(self) -> None:
        self.operator = ContractOperator(self._ports, self.history, self._settings, timedelta(hours=1))
        self.cluster.on_change = self.operator.see_contract

    async def restart(self) -> None:
        """The operator ends, and another begins that knows nothing but what there is."""
        await self.operator.stop()
        self._connect()
        for body in list(self.cluster.objects.values()):
            self.operator.see_contract(None, body)
        self.operator.start()

    def status(self, name: str) -> dict[str, object]:
        status: dict[str, object] = self.cluster.objects["ns", name].get("status", {})
        return status

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        """Let the operator work until the condition holds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, "the condition did not come true"
            await asyncio.sleep(0.005)

    async def until_quiet(self) -> None:
        await self.until(lambda: not len(self.operator.queue) and not self.operator.recorder.waiting())
        await asyncio.sleep(0.02)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage(Settings())
    stage.operator.start()
    yield stage
    await stage.operator.stop()


PHASES = [{"name": "one", "deliverables": [{"id": "doc"}], **AUTO}, {"name": "two", **AUTO}]


async def test_a_contract_runs_from_created_to_completed_and_its_history_is_gapless(stage: Stage) -> None:
    uid = stage.cluster.create("a", {"phases": PHASES})["metadata"]["uid"]
    await stage.until(lambda: stage.status("a").get("state") == "Created")
    stage.cluster.patch_spec("a", {"deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until(lambda: stage.status("a").get("state") == "Completed")
    await stage.until_quiet()
    assert stage.history.versions(uid) == list(range(1, stage.status("a")["version"] + 1))  # type: ignore[operator]
    assert stage.metrics.moves == [("one", "two")]
    assert stage.metrics.completions == 1


async def test_each_version_is_one_status_write(stage: Stage) -> None:
    stage.cluster.create("a", {"phases": PHASES, "deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until(lambda: stage.status("a").get("state") == "Completed")
    await stage.until_quiet()
    assert stage.cluster.status_writes == stage.status("a")["version"]


async def test_where_many_wait_every_one_is_active_before_the_first_is_completed() -> None:
    stage, seen = Stage(Settings()), []

    def see(kind: str, body: JsonObject) -> None:
        seen.append((body["metadata"]["name"], body.get("status", {}).get("state")))
        stage.operator.see_contract(kind, body)

    stage.cluster.on_change = see
    names = [f"c{number}" for number in range(20)]
    for name in names:
        stage.cluster.create(name, {"phases": PHASES, "deliverables": [{"phase": "one", "id": "doc"}]})
    stage.operator.start()
    await stage.until(lambda: all(stage.status(name).get("state") == "Completed" for name in names))
    await stage.operator.stop()
    first_completed = next(place for place, (_, state) in enumerate(seen) if state == "Completed")
    assert {name for name, state in seen[:first_completed] if state == "Active"} == set(names)


async def test_a_lost_race_is_read_and_decided_again(stage: Stage) -> None:
    races = iter(range(3))

    def somebody_else_writes() -> None:
        if next(races, None) is not None:
            stage.cluster.patch_spec("a", {"description": "changed meanwhile"})

    stage.cluster.before_write = somebody_else_writes
    stage.cluster.create("a", {"type": "simple"})
    await stage.until(lambda: stage.status("a").get("state") == "Created")
    assert stage.status("a")["version"] == 1


class Asks:
    """Whoever knows what is in Postgres; while it is asked, a supervisor puts a question into the status, once."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster, self.asked = cluster, False

    async def of(self, contract: Contract) -> Known:
        if contract.spec.deliverables and not self.asked:
            self.asked = True
            question = {
                "id": an_id(1),
                "phase": "one",
                "question": "Which?",
                "type": "choice",
                "askedTime": START.isoformat(),
            }
            self._cluster.patch_status("a", {"questions": [question]})
        return Known()


async def test_what_others_write_while_it_is_decided_is_not_written_over() -> None:
    stage = Stage(Settings())
    asks = Asks(stage.cluster)
    stage.operator.ask(asks)
    stage.operator.start()
    stage.cluster.create("a", {"phases": PHASES})
    await stage.until(lambda: stage.status("a").get("state") == "Created")
    stage.cluster.patch_spec("a", {"deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until(lambda: stage.status("a").get("state") == "Completed")
    await stage.operator.stop()
    assert asks.asked
    assert [question["question"] for question in stage.status("a")["questions"]] == ["Which?"]  # type: ignore[attr-defined]


async def test_a_contract_deleted_while_it_is_written_is_deleted_in_the_history_and_counted_no_more(
    stage: Stage,
) -> None:
    stage.cluster.after_write = lambda: stage.cluster.remove("a") if ("ns", "a") in stage.cluster.objects else None
    uid = stage.cluster.create("a", {"type": "simple"})["metadata"]["uid"]
    await stage.until(lambda: stage.history.versions(uid) == [1])
    await stage.until_quiet()
    assert stage.history.deleted == {uid}
    assert stage.metrics.states.get(uid) is None


async def test_with_the_api_server_away_the_contract_is_taken_up_again_later(stage: Stage) -> None:
    stage.cluster.away = True
    stage.cluster.create("a", {"type": "simple"})
    await asyncio.sleep(0.05)
    stage.cluster.away = False
    stage.clock.advance(seconds=60)
    await stage.until(lambda: stage.status("a").get("state") == "Created")


async def test_with_postgres_away_phases_advance_and_the_history_follows(stage: Stage) -> None:
    stage.history.away = True
    uid = stage.cluster.create("a", {"phases": PHASES, "deliverables": [{"phase": "one", "id": "doc"}]})["metadata"][
        "uid"
    ]
    await stage.until(lambda: stage.status("a").get("state") == "Completed")
    assert stage.history.versions(uid) == []
    stage.history.away = False
    await stage.until(lambda: stage.history.versions(uid) == list(range(1, stage.status("a")["version"] + 1)), 10)  # type: ignore[operator]


async def test_a_full_outbox_holds_the_contract_and_loses_nothing(stage: Stage) -> None:
    uid = stage.cluster.create("a", {"type": "simple"})["metadata"]["uid"]
    await stage.until(lambda: stage.history.rows.get(uid) == 1)
    stage.history.away = True
    for turn in range(100):
        stage.cluster.patch_spec("a", {"suspend": turn % 2 == 0})
        await asyncio.sleep(0.01)
    held = [c for c in stage.status("a")["conditions"] if c["type"] == "HistoryRecorded"]  # type: ignore[attr-defined]
    assert held[0]["status"] == "False"
    version = stage.status("a")["version"]
    stage.history.away = False
    await stage.until(lambda: stage.history.versions(uid)[-1:] >= [version], 10)
    await stage.until(
        lambda: all(c["status"] == "True" for c in stage.status("a")["conditions"] if c["type"] == "HistoryRecorded")
    )  # type: ignore[attr-defined]
    await stage.until_quiet()
    assert stage.history.versions(uid) == list(range(1, stage.status("a")["version"] + 1))  # type: ignore[operator]


async def test_a_restart_writes_nothing(stage: Stage) -> None:
    for number in range(20):
        stage.cluster.create(f"c{number}", {"phases": PHASES})
    await stage.until(lambda: all(stage.status(f"c{n}").get("state") for n in range(20)))
    await stage.until_quiet()
    before = stage.cluster.status_writes
    second = Stage(Settings())
    second.cluster.objects = stage.cluster.objects
    second.history = stage.history
    second.operator.start()
    for body in stage.cluster.objects.values():
        second.operator.see_contract(None, body)
    await second.until_quiet()
    await second.operator.stop()
    assert (stage.cluster.status_writes, second.cluster.status_writes) == (before, 0)


async def test_an_unknown_type_is_refused_with_a_condition_and_taken_up_when_it_appears(stage: Stage) -> None:
    stage.cluster.create("a", {"type": "custom"})
    await stage.until(lambda: stage.status("a").get("conditions"))
    condition = stage.status("a")["conditions"][0]  # type: ignore[index]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Ready", "False", "UnknownType")
    body = {"metadata": {"name": "custom", "namespace": "ns"}, "spec": {"phases": [{"name": "only"}]}}
    stage.cluster.types["ns", "custom"] = ContractType.model_validate(body)
    stage.operator.see_contract_type("ADDED", body)
    await stage.until(lambda: stage.status("a").get("state") == "Created")


async def test_a_stale_contract_is_told_once(stage: Stage) -> None:
    stage.cluster.create("a", {"type": "simple", "staleAfterSeconds": 60})
    await stage.until(lambda: stage.status("a").get("state") == "Created")
    await stage.until_quiet()
    stage.clock.advance(seconds=200)
    await stage.until(lambda: "StaleDetected" in stage.events.reasons())
    stage.clock.advance(seconds=200)
    await stage.until_quiet()
    await asyncio.sleep(0.4)
    assert stage.events.reasons().count("StaleDetected") == 1
    assert stage.metrics.states[stage.cluster.objects["ns", "a"]["metadata"]["uid"]] == ("created", True)
    await stage.until(lambda: "StaleDetected" in [event.type for event in stage.history.events.values()])


async def test_a_finished_contract_is_deleted_after_its_ttl_once_its_history_is_recorded(stage: Stage) -> None:
    stage.history.away = True
    spec = {"phases": PHASES, "deliverables": [{"phase": "one", "id": "doc"}], "ttlSecondsAfterFinished": 5}
    uid = stage.cluster.create("a", spec)["metadata"]["uid"]
    await stage.until(lambda: stage.status("a").get("state") == "Completed")
    stage.clock.advance(seconds=10)
    await asyncio.sleep(0.4)
    assert ("ns", "a") in stage.cluster.objects
    stage.history.away = False
    await stage.until(lambda: stage.history.rows.get(uid), 10)
    stage.clock.advance(seconds=10)
    await stage.until(lambda: ("ns", "a") not in stage.cluster.objects)
    await stage.until(lambda: uid in stage.history.deleted)


async def test_a_refused_write_becomes_an_event_and_is_tried_again(stage: Stage) -> None:
    stage.cluster.refuse = Denied("INVALID_TRANSITION: somebody's policy", code="INVALID_TRANSITION")
    stage.cluster.create("a", {"type": "simple"})
    await stage.until(lambda: "WriteDenied" in stage.events.reasons())
    stage.cluster.refuse = None
    stage.clock.advance(seconds=400)
    await stage.until(lambda: stage.status("a").get("state") == "Created")


async def test_a_status_that_cannot_be_read_is_left_alone_and_told(stage: Stage) -> None:
    stage.cluster.create("a", {"type": "simple"})
    await stage.until(lambda: stage.status("a").get("state") == "Created")
    await stage.until_quiet()
    writes = stage.cluster.status_writes
    stage.cluster.patch_status("a", {"version": "nonsense"})
    await stage.until(lambda: "StatusUnreadable" in stage.events.reasons())
    assert stage.cluster.status_writes == writes


async def test_a_deletion_that_no_watch_saw_is_found_by_the_resync(stage: Stage) -> None:
    uid = stage.cluster.create("a", {"type": "simple"})["metadata"]["uid"]
    await stage.until(lambda: stage.history.rows.get(uid) == 1)
    stage.cluster.on_change = lambda kind, body: None
    stage.cluster.remove("a")
    second = Stage(Settings())
    second.cluster, second.history = stage.cluster, stage.history
    second.operator = ContractOperator(
        Ports(stage.cluster, stage.events, stage.validators, second.metrics, stage.clock),
        stage.history,
        Settings(),
        timedelta(hours=1),
    )
    second.operator.start()
    await second.until(lambda: uid in stage.history.deleted)
    await second.operator.stop()


@pytest.mark.parametrize("operator_ends", [False, True])
async def test_a_contract_deleted_while_postgres_is_away_loses_its_tail_only_if_the_operator_ends_too(
    stage: Stage, operator_ends: bool
) -> None:
    uid = stage.cluster.create("a", {"phases": PHASES})["metadata"]["uid"]
    stage.cluster.create("another", {"phases": PHASES})
    await stage.until(lambda: stage.history.rows.get(uid) == 1)
    stage.history.away = True
    stage.cluster.patch_spec("a", {"deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until(lambda: stage.status("a")["state"] == "Completed")
    last = Contract.from_object(stage.cluster.objects["ns", "a"]).status
    stage.cluster.remove("a")
    if operator_ends:
        await stage.restart()
    stage.history.away = False
    await stage.until(lambda: uid in stage.history.deleted, 10)
    assert last is not None
    assert stage.history.versions(uid) == ([1] if operator_ends else list(range(1, last.version + 1)))


async def test_changes_that_no_watch_saw_are_taken_up_by_the_resync_and_nothing_else_is_written(stage: Stage) -> None:
    for name in ("lost", "quiet"):
        stage.cluster.create(name, {"phases": PHASES})
    await stage.until(lambda: all(stage.status(name).get("state") == "Created" for name in ("lost", "quiet")))
    await stage.until_quiet()
    stage.cluster.on_change = lambda kind, body: None
    stage.cluster.patch_spec("lost", {"deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until_quiet()
    assert stage.status("lost")["state"] == "Created"
    quiet = stage.cluster.objects["ns", "quiet"]["metadata"]["resourceVersion"]
    await resync(stage.operator)
    await stage.until(lambda: stage.status("lost")["state"] == "Completed")
    assert stage.cluster.objects["ns", "quiet"]["metadata"]["resourceVersion"] == quiet
    await stage.until_quiet()
    written, read = stage.cluster.status_writes, stage.cluster.reads
    await resync(stage.operator)
    await stage.until_quiet()
    assert (stage.cluster.status_writes, stage.cluster.reads) == (written, read)


async def test_a_contract_that_no_watch_showed_is_taken_up_by_the_resync(stage: Stage) -> None:
    stage.cluster.on_change = lambda kind, body: None
    stage.cluster.create("unseen", {"type": "simple"})
    await resync(stage.operator)
    await stage.until(lambda: stage.status("unseen").get("state") == "Created")


async def test_a_type_that_no_watch_saw_is_found_by_the_resync_and_a_missing_one_costs_no_write(stage: Stage) -> None:
    stage.cluster.create("a", {"type": "own"})
    await stage.until(lambda: "conditions" in stage.status("a"))
    await stage.until_quiet()
    told = (stage.cluster.version, stage.events.reasons())
    await resync(stage.operator)
    await stage.until_quiet()
    assert (stage.cluster.version, stage.events.reasons()) == told
    stage.cluster.types["ns", "own"] = a_type("own", a_phase("plan"))
    await resync(stage.operator)
    await stage.until(lambda: stage.status("a").get("state") == "Created")


async def test_a_validator_is_asked_once_per_question_and_again_after_its_retry_time(stage: Stage) -> None:
    gate = {"autoAdvance": True, "validator": {"cel": {"expression": "false"}, "retrySeconds": 30}}
    stage.validators.ready, stage.validators.missing = False, ("Validator: no",)
    stage.cluster.create("a", {"phases": [{"name": "one", "deliverables": [{"id": "doc"}], "gate": gate}]})
    stage.cluster.patch_spec("a", {"deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until(lambda: stage.validators.asked)
    await stage.until_quiet()
    asked = stage.validators.asked
    await asyncio.sleep(0.3)
    assert stage.validators.asked == asked
    stage.validators.ready, stage.validators.missing = True, ()
    stage.clock.advance(seconds=31)
    await stage.until(lambda: stage.status("a")["state"] == "Completed")


async def test_validators_that_never_answer_hold_up_their_own_contracts_only(stage: Stage) -> None:
    gate = {"autoAdvance": True, "validator": {"cel": {"expression": "true"}}}
    names = [f"slow-{number}" for number in range(100)]
    stage.validators.slow = set(names)
    for name in (*names, "quick"):
        phases = [{"name": "one", "deliverables": [{"id": "doc"}], "gate": gate}]
        stage.cluster.create(name, {"phases": phases, "deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until(lambda: stage.status("quick").get("state") == "Completed")
    assert {stage.status(name)["state"] for name in names} == {"Active"}


async def test_a_question_that_is_out_of_date_is_given_up_and_asked_anew(stage: Stage) -> None:
    gate = {"autoAdvance": True, "validator": {"cel": {"expression": "true"}}}
    stage.validators.slow = {"a"}
    phases = [{"name": "one", "deliverables": [{"id": "doc"}, {"id": "more", "priority": "Optional"}], "gate": gate}]
    stage.cluster.create("a", {"phases": phases, "deliverables": [{"phase": "one", "id": "doc"}]})
    await stage.until(lambda: stage.validators.asked)
    stage.validators.slow = set()
    both = [{"phase": "one", "id": "doc"}, {"phase": "one", "id": "more"}]
    stage.cluster.patch_spec("a", {"deliverables": both})
    await stage.until(lambda: stage.status("a").get("state") == "Completed")
