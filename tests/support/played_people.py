"""Commands before a cluster and an API that are played: what they write, and where each of them worked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

from makima.client import Place
from makima.client.cluster import Cluster
from makima.client.person import Person
from makima.errors import ClusterUnavailable, MakimaError, NotFound
from makima.models.contract import Contract
from tests.support.builders import UID
from tests.support.command_line import Done, pasted

Body = dict[str, Any]


def named(contract: Contract, name: str) -> Contract:
    """The same by this name, as it is on an API server."""
    metadata = contract.metadata.model_copy(update={"name": name, "resource_version": "1"})
    return contract.model_copy(update={"metadata": metadata})


class PlayedCluster(Cluster):
    """Contracts that stay as they are, whatever is asked of them; no supervisors, no pods.

    Attributes:
        refuses: what every write ends with.
    """

    refuses: MakimaError | None = None

    def __init__(self, contracts: Sequence[Contract]) -> None:
        bodies = (contract.model_dump(mode="json", by_alias=True, exclude_none=True) for contract in contracts)
        self.bodies = {body["metadata"]["name"]: body for body in bodies}
        self.selectors: list[str] = []
        self.looked_in: list[tuple[str, str | None]] = []

    async def get(self, plural: str, namespace: str, name: str) -> Body:
        if plural != "contracts" or name not in self.bodies:
            raise NotFound(f"{plural} {namespace}/{name}")
        return self.bodies[name]

    async def page(
        self, plural: str, namespace: str | None, *, selector: str = "", fields: str = "", token: str = ""
    ) -> Body:
        self.selectors.append(selector)
        self.looked_in += [(plural, namespace)] if plural == "contracts" else []
        items = list(self.bodies.values()) if plural == "contracts" else []
        return {"items": items, "metadata": {"resourceVersion": "1"}}

    async def watch(
        self, plural: str, namespace: str | None, version: str, *, selector: str = "", fields: str = ""
    ) -> AsyncGenerator[Body, None]:
        raise ClusterUnavailable("nothing is watched here")
        yield {}

    async def may(self, verb: str, plural: str, namespace: str = "", name: str = "") -> bool:
        return True

    async def create(self, plural: str, namespace: str, body: Body, *, dry_run: bool = False) -> Body:
        return body

    async def merge(
        self, plural: str, namespace: str, name: str, patch: Mapping[str, Any], *, dry_run: bool = False
    ) -> Body:
        return await self._written(plural, namespace, name)

    async def patch(
        self, plural: str, namespace: str, name: str, steps: Sequence[Mapping[str, Any]], *, dry_run: bool = False
    ) -> Body:
        return await self._written(plural, namespace, name)

    async def _written(self, plural: str, namespace: str, name: str) -> Body:
        if self.refuses is not None:
            raise self.refuses
        return await self.get(plural, namespace, name)

    async def pods(self, namespace: str, selector: str) -> list[Body]:
        return []


class PlayedApi:
    """makima's API with events of one contract, and one contract that any bulk operation is for.

    Attributes:
        page: most events in one answer, an exported document among them.
        asked: path and query of each call, in order.
    """

    aggregated = False
    page = 500

    def __init__(self, *events: Body) -> None:
        self.events = events
        self.asked: list[tuple[str, dict[str, str]]] = []

    def contract(self, namespace: str, name: str, rest: str) -> str:
        return f"{namespace}:{name}/{rest}"

    def collection(self, rest: str = "", namespace: str | None = None) -> str:
        return f"{namespace}/{rest}"

    async def get(self, path: str, **query: str) -> Body:
        self.asked.append((path, query))
        after, limit = int(query.get("after", 0)), min(self.page, int(query.get("limit", self.page)))
        found = [event for event in self.events if event["seq"] > after]
        page, more = found[:limit], len(found) > limit
        if path.endswith("/export"):
            return {"format": "makima.dev/export/v1", "history": page, "truncated": ["history"] if more else []}
        return {"events": page, "more": more}

    async def call(self, method: str, path: str, *, body: Body) -> Body:
        ids = [UID]
        return {"operation": body["operation"], "affected_count": 1, "affected_ids": ids, "dry_run": body["dry_run"]}


class PlayedPeople:
    """Whoever runs a command here.

    Attributes:
        places: where each command worked, as its own command line says.
        away: the cluster does not answer any more.
    """

    def __init__(self, *contracts: Contract, api: Any = None) -> None:
        self.cluster, self.api = PlayedCluster(contracts), api or PlayedApi()
        self.places: list[Place] = []
        self.away = False

    @asynccontextmanager
    async def _connect(self, place: Place) -> AsyncIterator[Person]:
        self.places.append(place)
        if self.away:
            raise ClusterUnavailable("nobody answers")
        yield Person(self.cluster, self.api, place.namespace or "default")

    def paste(self, line: str) -> Done:
        """A command line as a shell takes it, without anything added."""
        with mock.patch("makima.client.connect", self._connect):
            return pasted(line)
