"""Supervisors and pods in dictionaries, with the API server's preconditions; the test plays the kubelet."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from makima.errors import ClusterUnavailable, Conflict, NotFound
from makima.ports import JsonObject, ObjectKey

Name = tuple[str, str]


class FakeLives:
    """`makima.ports.Supervisors` and `Pods`. `before` and `after` a write may end the operator."""

    def __init__(self) -> None:
        self.supervisors: dict[Name, JsonObject] = {}
        self.pods: dict[Name, JsonObject] = {}
        self.calls: list[str] = []
        self.away = False
        self.refuse: Exception | None = None
        self.watchers: list[FakeWatcher] = []
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None
        self._numbers = count(1)

    def _reach(self) -> None:
        if self.away:
            raise ClusterUnavailable("the fake API server is away")

    def _did(self, call: str) -> None:
        self._reach()
        self.before(call)
        self.calls.append(call)

    def _stamp(self, body: JsonObject) -> JsonObject:
        stamped = copy.deepcopy(body)
        stamped["metadata"]["resourceVersion"] = str(1000 + next(self._numbers))
        return stamped

    def _done(self, store: dict[Name, JsonObject], kind: str, body: JsonObject) -> JsonObject:
        """As `_changed`, by an operator, whose answer may be lost."""
        answer = self._changed(store, kind, body)
        self.after(self.calls[-1])
        return answer

    def _changed(self, store: dict[Name, JsonObject], kind: str, body: JsonObject) -> JsonObject:
        name = (body["metadata"]["namespace"], body["metadata"]["name"])
        stamped = self._stamp(body)
        if kind == "DELETED":
            store.pop(name, None)
        else:
            store[name] = stamped
        for watcher in self.watchers:
            watcher(stamped["kind"], kind, copy.deepcopy(stamped))
        return copy.deepcopy(stamped)

    # Supervisors

    async def supervisor(self, namespace: str, name: str) -> JsonObject | None:
        self._reach()
        return copy.deepcopy(self.supervisors.get((namespace, name)))

    async def list_supervisor_versions(self) -> dict[ObjectKey, str]:
        self._reach()
        metas = [body["metadata"] for body in self.supervisors.values()]
        return {ObjectKey(m["namespace"], m["name"], m["uid"]): m["resourceVersion"] for m in metas}

    async def create_supervisor(self, body: JsonObject) -> JsonObject | None:
        meta = body["metadata"]
        self._did("create supervisor")
        if (meta["namespace"], meta["name"]) in self.supervisors:
            return None
        uid = f"00000000-0000-4000-9000-{next(self._numbers):012d}"
        made = {**body, "metadata": {**meta, "uid": uid, "generation": 1}}
        return self._done(self.supervisors, "ADDED", made)

    async def replace_supervisor(self, body: JsonObject) -> JsonObject:
        self._did("change spec")
        stored = self._same(body)
        return self._done(self.supervisors, "MODIFIED", {**stored, "spec": body["spec"]})

    async def write_status(self, body: JsonObject) -> JsonObject:
        status = body["status"]
        self._did(f"status {status.get('incarnation', 0)}{' with pod' if status.get('podUid') else ''}")
        stored = self._same(body)
        before = (stored.get("status") or {}).get("incarnation", 0)
        assert status.get("incarnation", 0) >= before, "VALIDATION_FAILED: an incarnation never falls"
        return self._done(self.supervisors, "MODIFIED", {**stored, "status": copy.deepcopy(status)})

    def _same(self, body: JsonObject) -> JsonObject:
        meta = body["metadata"]
        stored = self.supervisors.get((meta["namespace"], meta["name"]))
        if stored is None or stored["metadata"]["uid"] != meta["uid"]:
            raise NotFound("gone")
        if stored["metadata"]["resourceVersion"] != meta["resourceVersion"]:
            raise Conflict("changed")
        return stored

    def change(self, name: str, **spec: Any) -> None:
        """Somebody changes a Supervisor's spec."""
        stored = self.supervisors["ns", name]
        meta = {**stored["metadata"], "generation": stored["metadata"]["generation"] + 1}
        self._changed(self.supervisors, "MODIFIED", {**stored, "metadata": meta, "spec": {**stored["spec"], **spec}})

    # Pods

    async def create_pod(self, body: JsonObject) -> JsonObject:
        if self.refuse is not None:
            raise self.refuse
        meta = body["metadata"]
        self._did(f"create pod {meta['name']}")
        found = self.pods.get((meta["namespace"], meta["name"]))
        if found is not None:
            return copy.deepcopy(found)
        made = {**body, "metadata": {**meta, "uid": f"00000000-0000-4000-a000-{next(self._numbers):012d}"}}
        return self._done(self.pods, "ADDED", made)

    async def delete_pod(self, namespace: str, name: str, uid: str, *, at_once: bool = False) -> None:
        self._did(f"delete pod {name}{' at once' if at_once else ''}")
        found = self.pods.get((namespace, name))
        if found is None or found["metadata"]["uid"] != uid:
            return
        phase = (found.get("status") or {}).get("phase")
        if at_once or phase in ("Succeeded", "Failed"):
            self._done(self.pods, "DELETED", found)
            return
        meta = {**found["metadata"], "deletionTimestamp": self.now().isoformat()}
        self._done(self.pods, "MODIFIED", {**found, "metadata": meta})

    async def pod(self, namespace: str, name: str) -> JsonObject | None:
        self._reach()
        return copy.deepcopy(self.pods.get((namespace, name)))

    async def list_pods(self) -> list[JsonObject]:
        self._reach()
        return [copy.deepcopy(body) for body in self.pods.values()]

    # The kubelet

    now: Callable[[], datetime]

    def runs(self, name: str) -> None:
        """The first container of the pod begins to run."""
        state = {"running": {"startedAt": self.now().isoformat()}}
        self._set(name, "Running", state)

    def exits(self, name: str, code: int, reason: str = "Error", **status: Any) -> None:
        """It ends."""
        ended = {"exitCode": code, "reason": reason, "finishedAt": self.now().isoformat()}
        began = self._state(name).get("running", {}).get("startedAt")
        state = {"terminated": ended | ({"startedAt": began} if began else {})}
        self._set(name, "Succeeded" if code == 0 else "Failed", state, **status)

    def vanishes(self, name: str) -> None:
        """The pod is gone: a grace period that is over, or somebody who deleted it by force."""
        self._changed(self.pods, "DELETED", self.pods["ns", name])

    def _state(self, name: str) -> JsonObject:
        statuses = (self.pods["ns", name].get("status") or {}).get("containerStatuses") or [{}]
        state: JsonObject = statuses[0].get("state", {})
        return state

    def _set(self, name: str, phase: str, state: JsonObject, **more: Any) -> None:
        body = self.pods["ns", name]
        container = body["spec"]["containers"][0]["name"]
        status = {"phase": phase, "containerStatuses": [{"name": container, "state": state}], **more}
        self._changed(self.pods, "MODIFIED", {**body, "status": status})


FakeWatcher = Callable[[str, str, JsonObject], None]
"""Called with kind, change and object."""
