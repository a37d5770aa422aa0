"""Contracts that a real operator drives: what a person does, and waiting for what becomes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from makima.adapters.postgres.history import PostgresHistory
from makima.errors import Conflict, NotFound
from tests.support.kube import Body, Person, an_object, contract
from tests.support.polling import pause

AUTO = {"gate": {"autoAdvance": True}}


def phase(name: str, *deliverables: str, auto: bool = True, **gate: Any) -> Body:
    """A phase; with a gate unless `auto` is False and nothing else is said."""
    body: Body = {"name": name, "deliverables": [{"id": item} for item in deliverables]}
    if auto or gate:
        body["gate"] = {"autoAdvance": auto, **gate}
    return body


class Driven:
    """One namespace, with an operator at work in it."""

    def __init__(self, admin: Person) -> None:
        self.admin = admin

    async def create(self, name: str, **spec: Any) -> Body:
        """Apply a contract."""
        return await self.admin.create(contract(name, **spec))

    async def register(self, name: str, **spec: Any) -> Body:
        """An external supervisor registers."""
        return await self.admin.create(an_object("Supervisor", name, spec))

    async def make_service(self, name: str, spec: Body) -> None:
        """A Service, if it is not there yet."""
        path = f"/api/v1/namespaces/{self.admin.namespace}/services"
        with suppress(Conflict):
            await self.admin.connection.request("POST", path, body={"metadata": {"name": name}, "spec": spec})

    async def started(self, name: str, *phases: Body, **spec: Any) -> Body:
        """A contract of these phases whose supervisor has registered."""
        await self.register(name)
        await self.create(name, phases=list(phases), **spec)
        return await self.until(name, lambda status: status.get("state") not in (None, "Created"))

    async def status(self, name: str) -> Body:
        """The status now; empty while there is none."""
        body: Body = (await self.admin.get(name)).get("status", {})
        return body

    async def until(self, name: str, holds: Callable[[Body], object], seconds: float = 30) -> Body:
        """Wait until the status is as wanted.

        Raises:
            AssertionError: it was not, in time; shows the last status.
        """
        began = asyncio.get_running_loop().time()
        while True:
            status = await self.status(name)
            if holds(status):
                return status
            if (waited := asyncio.get_running_loop().time() - began) > seconds:
                kept = {key: value for key, value in status.items() if key not in ("phases", "transitions")}
                raise AssertionError(f"{name} did not become what was waited for: {json.dumps(kept, indent=1)}")
            await asyncio.sleep(pause(waited))

    async def until_state(self, name: str, state: str) -> Body:
        """Wait for a state."""
        return await self.until(name, lambda status: status.get("state") == state)

    async def until_condition(self, name: str, kind: str, state: str, reason: str) -> str:
        """Wait for a condition; gives its message."""

        def found(status: Body) -> Body | None:
            wanted = (kind, state, reason)
            said = status.get("conditions", [])
            return next((c for c in said if (c["type"], c["status"], c["reason"]) == wanted), None)

        status = await self.until(name, found)
        condition = found(status)
        assert condition is not None
        return str(condition["message"])

    async def until_condition_with(self, name: str, kind: str, text: str) -> str:
        """Wait until a condition's message holds a text; gives the message."""

        def found(status: Body) -> str:
            messages = [c["message"] for c in status.get("conditions", []) if c["type"] == kind]
            return next((message for message in messages if text in message), "")

        return found(await self.until(name, found))

    async def until_gone(self, name: str, seconds: float = 30) -> None:
        """Wait until the contract is deleted."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                await self.admin.get(name)
            except NotFound:
                return
            assert asyncio.get_running_loop().time() < deadline, f"{name} is still there"
            await asyncio.sleep(0.05)

    async def report(self, name: str, *keys: str) -> None:
        """Report deliverables, each as phase/id."""
        for key in keys:
            of, _, identifier = key.partition("/")
            entry = {"op": "add", "path": "/spec/deliverables/-", "value": {"phase": of, "id": identifier}}
            await self.admin.json_patch([entry], name)

    async def advance(self, name: str, to: str, **fields: Any) -> Body:
        """Ask for a move at the version that the contract has now."""
        version = (await self.status(name))["version"]
        return await self.admin.patch_spec(name, advance={"to": to, "expectedVersion": version, **fields})

    async def event_reasons(self, name: str) -> list[str]:
        """Reasons of the Events about a contract, oldest first."""
        path = f"/api/v1/namespaces/{self.admin.namespace}/events"
        query = {"fieldSelector": f"involvedObject.kind=Contract,involvedObject.name={name}"}
        listed = await self.admin.connection.request("GET", path, query=query)
        items = sorted(listed["items"], key=lambda item: item.get("eventTime") or item["metadata"]["creationTimestamp"])
        return [item["reason"] for item in items]

    async def until_events(self, name: str, *reasons: str) -> None:
        """Wait until Events with these reasons are there."""
        deadline = asyncio.get_running_loop().time() + 15
        while not set(reasons) <= set(found := await self.event_reasons(name)):
            assert asyncio.get_running_loop().time() < deadline, f"events of {name}: {found}, wanted {reasons}"
            await asyncio.sleep(0.05)


async def recorded_versions(history: PostgresHistory, uid: str, version: int, seconds: float = 20) -> list[int]:
    """Versions of a contract in the history, once the last one is there."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        events = await history.events(UUID(uid), limit=10_000)
        versions = sorted({stored.event.version for stored in events if stored.event.version is not None})
        if version in versions:
            return versions
        assert asyncio.get_running_loop().time() < deadline, f"the history has {versions}, wanted {version}"
        await asyncio.sleep(0.05)
