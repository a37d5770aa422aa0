"""Jobs and claims in dictionaries; the test plays the Job controller."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from makima.errors import ClusterUnavailable
from makima.ports import JsonObject


class FakeJobs:
    """`makima.ports.Jobs` and `Volumes`: a name is taken once, and a deletion names a UID."""

    def __init__(self) -> None:
        self.jobs: dict[tuple[str, str], JsonObject] = {}
        self.claims: dict[str, JsonObject] = {}
        self.words: dict[str, str] = {}
        self.created: list[str] = []
        self.refuse: Exception | None = None
        self.away = False
        self.on_change: Callable[[str, JsonObject], None] = lambda kind, body: None

    def _reach(self) -> None:
        if self.away:
            raise ClusterUnavailable("the fake API server is away")

    async def job(self, namespace: str, name: str) -> JsonObject | None:
        self._reach()
        return self.jobs.get((namespace, name))

    async def create_job(self, body: JsonObject) -> None:
        self._reach()
        if self.refuse is not None:
            raise self.refuse
        meta = body["metadata"]
        if (meta["namespace"], meta["name"]) in self.jobs:
            return
        self.created.append(meta["name"])
        stored = {**body, "metadata": {**meta, "uid": f"uid-{len(self.created)}"}}
        self.jobs[meta["namespace"], meta["name"]] = stored
        self.on_change("ADDED", stored)

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        self._reach()
        found = self.jobs.get((namespace, name))
        if found is not None and found["metadata"]["uid"] == uid:
            self.on_change("DELETED", self.jobs.pop((namespace, name)))

    async def list_jobs(self) -> list[JsonObject]:
        self._reach()
        return list(self.jobs.values())

    async def last_words(self, namespace: str, name: str) -> str:
        self._reach()
        return self.words.get(name, "")

    async def create_claim(self, body: JsonObject) -> None:
        self._reach()
        self.claims.setdefault(body["metadata"]["name"], body)

    # The Job controller

    def end(self, name: str, at: datetime, *, failed: bool = False, words: str = "", quietly: bool = False) -> None:
        """The Job comes to its end; `quietly`: no watch tells of it."""
        key = next(item for item in self.jobs if item[1] == name)
        condition: dict[str, Any] = {
            "type": "Failed" if failed else "Complete",
            "status": "True",
            "lastTransitionTime": at.isoformat(),
        }
        if failed:
            condition |= {"reason": "BackoffLimitExceeded", "message": "too many failures"}
        self.words[name] = words
        self.jobs[key] = {**self.jobs[key], "status": {"conditions": [condition]}}
        if not quietly:
            self.on_change("MODIFIED", self.jobs[key])

    def vanish(self, name: str) -> None:
        """Somebody deletes the Job."""
        key = next(item for item in self.jobs if item[1] == name)
        self.on_change("DELETED", self.jobs.pop(key))
