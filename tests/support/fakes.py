"""Fakes of the ports, for use cases under a clock of the test's own; real servers are tested for real."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from makima.domain.notices import Notice
from makima.domain.reconcile.validation import Question, Verdict
from makima.errors import ClusterUnavailable, Conflict, HistoryUnavailable, NotFound
from makima.models.contract_type import ContractType
from makima.models.history import ContractRow, HistoryBatch, HistoryEvent, Unversioned
from makima.ports import JsonObject, ObjectKey

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def advance(self, **delta: float) -> None:
        self.time += timedelta(**delta)


class FakeCluster:
    """An API server in a dictionary: resourceVersion preconditions hold, and it can be away."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], JsonObject] = {}
        self.types: dict[tuple[str, str], ContractType] = {}
        self.away = False
        self.status_writes = self.reads = 0
        self.version = 100
        self.before_write: Callable[[], None] = lambda: None
        self.after_write: Callable[[], None] = lambda: None
        self.on_change: Callable[[str, JsonObject], None] = lambda kind, body: None
        self.refuse: Exception | None = None

    def create(self, name: str, spec: dict[str, Any], namespace: str = "ns") -> JsonObject:
        """Somebody applies a contract."""
        uid = f"00000000-0000-4000-8000-{len(self.objects):012d}"
        metadata = {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "generation": 1,
            "creationTimestamp": START.isoformat(),
        }
        body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Contract", "metadata": metadata, "spec": spec}
        return self._store(body, "ADDED")

    def patch_spec(self, name: str, changes: dict[str, Any], namespace: str = "ns") -> JsonObject:
        """Somebody changes the spec."""
        body = copy.deepcopy(self.objects[namespace, name])
        body["spec"].update(changes)
        body["metadata"]["generation"] += 1
        return self._store(body, "MODIFIED")

    def patch_status(self, name: str, changes: dict[str, Any], namespace: str = "ns") -> JsonObject:
        """Somebody with the right to do so changes the status."""
        body = copy.deepcopy(self.objects[namespace, name])
        body["status"].update(changes)
        return self._store(body, "MODIFIED")

    def remove(self, name: str, namespace: str = "ns") -> None:
        """Somebody deletes the contract."""
        self.on_change("DELETED", self.objects.pop((namespace, name)))

    def _store(self, body: JsonObject, kind: str) -> JsonObject:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        self.objects[body["metadata"]["namespace"], body["metadata"]["name"]] = body
        self.on_change(kind, copy.deepcopy(body))
        return copy.deepcopy(body)

    def _reach(self) -> None:
        if self.away:
            raise ClusterUnavailable("the fake API server is away")

    async def contract(self, namespace: str, name: str) -> JsonObject | None:
        self._reach()
        self.reads += 1
        return copy.deepcopy(self.objects.get((namespace, name)))

    async def contract_type(self, namespace: str, name: str) -> ContractType | None:
        self._reach()
        return self.types.get((namespace, name))

    async def write_status(self, body: JsonObject) -> JsonObject:
        self._reach()
        self.before_write()
        if self.refuse is not None:
            raise self.refuse
        name = (body["metadata"]["namespace"], body["metadata"]["name"])
        stored = self.objects.get(name)
        if stored is None or stored["metadata"]["uid"] != body["metadata"]["uid"]:
            raise NotFound("gone")
        if stored["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise Conflict("changed")
        self.status_writes += 1
        written = self._store({**copy.deepcopy(stored), "status": copy.deepcopy(body["status"])}, "MODIFIED")
        self.after_write()
        return written

    async def delete_contract(self, key: ObjectKey, resource_version: str) -> None:
        self._reach()
        if self.objects[key.namespace, key.name]["metadata"]["resourceVersion"] != resource_version:
            raise Conflict("changed")
        self.remove(key.name, key.namespace)

    async def list_contract_versions(self) -> dict[ObjectKey, str]:
        self._reach()
        metas = [body["metadata"] for body in self.objects.values()]
        return {ObjectKey(meta["namespace"], meta["name"], meta["uid"]): meta["resourceVersion"] for meta in metas}


@dataclass
class FakeHistory:
    """Postgres in a dictionary: idempotent like the real one, and it can be away."""

    away: bool = False
    events: dict[str, HistoryEvent] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    batches: int = 0
    marks: int = 0
    shown: dict[str, ContractRow] = field(default_factory=dict)

    def _reach(self) -> None:
        if self.away:
            raise HistoryUnavailable("the fake Postgres is away")

    async def record(self, batch: HistoryBatch) -> None:
        self._reach()
        await asyncio.sleep(0)
        self.batches += 1
        for event in batch.events:
            self.events.setdefault(str(event.id), event)
        for row in batch.rows:
            self.rows[str(row.uid)] = max(row.version, self.rows.get(str(row.uid), 0))
            self.shown[str(row.uid)] = row
            self.deleted.discard(str(row.uid))

    async def recorded_versions(self) -> dict[str, int]:
        self._reach()
        return {uid: version for uid, version in self.rows.items() if uid not in self.deleted}

    async def unversioned(self) -> dict[str, Unversioned]:
        self._reach()
        names = [field.name for field in fields(Unversioned)]
        return {
            uid: Unversioned(**{name: getattr(row, name) for name in names})
            for uid, row in self.shown.items()
            if uid not in self.deleted
        }

    async def mark_caught_up(self) -> None:
        self._reach()
        self.marks += 1

    async def live_uids(self) -> Sequence[tuple[str, str, str]]:
        self._reach()
        return [(uid, "ns", "") for uid in self.rows if uid not in self.deleted]

    async def mark_deleted(self, uids: Sequence[str], at: datetime) -> None:
        self._reach()
        self.deleted.update(uids)

    def versions(self, uid: str) -> list[int]:
        """Versions of which the history has an event."""
        found = {e.version for e in self.events.values() if str(e.contract_id) == uid and e.version is not None}
        return sorted(found)


@dataclass
class FakeEvents:
    """Events that were published."""

    published: list[tuple[str, Notice]] = field(default_factory=list)

    def publish(self, contract: JsonObject, notice: Notice, at: datetime) -> None:
        self.published.append((contract["metadata"]["name"], notice))

    def reasons(self) -> list[str]:
        """Their reasons, in order."""
        return [notice.reason.value for _, notice in self.published]


@dataclass
class FakeValidators:
    """Answers as told, and counts the questions."""

    clock: FakeClock
    ready: bool = True
    missing: tuple[str, ...] = ()
    asked: int = 0
    slow: set[str] = field(default_factory=set)

    async def ask(self, question: Question, contract: JsonObject) -> Verdict:
        self.asked += 1
        if contract["metadata"]["name"] in self.slow:
            await asyncio.Event().wait()  # until it is given up
        return Verdict(question.fingerprint, self.clock.now(), self.ready, self.missing)


@dataclass
class FakeMetrics:
    """Counts."""

    moves: list[tuple[str, str]] = field(default_factory=list)
    completions: int = 0
    states: dict[str, tuple[str, bool]] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)

    def phase_transition(self, from_phase: str, to_phase: str) -> None:
        self.moves.append((from_phase, to_phase))

    def completion_detected(self) -> None:
        self.completions += 1

    def contract_state(self, uid: str, state: str | None, stale: bool) -> None:
        if state is None:
            self.states.pop(uid, None)
        else:
            self.states[uid] = (state, stale)

    def reconcile_result(self, result: str, seconds: float) -> None:
        self.results.append(result)
