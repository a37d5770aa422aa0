"""Contracts of two namespaces for bulk operations, as the operator writes and records them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from makima.adapters.kubernetes.contracts import path_of
from makima.adapters.postgres.history import PostgresHistory
from makima.domain.reconcile.history import contract_row
from makima.models.contract import Contract
from makima.models.history import HistoryBatch
from tests.support.api_process import ApiUnderTest, CallerOf, token_of
from tests.support.api_rules import ROUTES
from tests.support.builders import failing
from tests.support.carried_world import CarriedWorld
from tests.support.kube import RBAC, changed

LONG_AGO = "2026-01-01T12:00:00Z"


class BatchWorld:
    """Two namespaces, of which callers may have rights in one."""

    def __init__(self, world: CarriedWorld, other: CarriedWorld, api: ApiUnderTest, url: str) -> None:
        self.mine, self.other, self.api, self.url = world, other, api, url

    async def caller(self, name: str, mine: tuple[str, ...] = (), other: tuple[str, ...] = ()) -> CallerOf:
        """Somebody with these roles in either namespace, and a token for the API server itself."""
        await self.mine.account(name, *mine)
        for role in other:
            binding = {
                "metadata": {"name": f"{name}-{role}"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.mine.namespace}],
            }
            path = f"{RBAC}/namespaces/{self.other.namespace}/rolebindings"
            await self.mine.admin.request("POST", path, body=binding)
        token = await token_of(self.mine.admin, self.mine.namespace, name, audience="")
        return self.mine.caller(self.api, token)

    async def contract(self, place: CarriedWorld, name: str, **spec: Any) -> UUID:
        """A contract that is accepted and recorded."""
        found = await place.contract(name, **spec)
        await self.record(place, name)
        return found

    async def failed(self, place: CarriedWorld, name: str) -> UUID:
        """A contract that failed long ago."""
        found = await place.contract(name)
        body = await place.get(name)
        status = failing(Contract.from_object(body), 0).status
        assert status is not None
        await self.put_status(place, name, status.model_dump(mode="json", by_alias=True, exclude_none=True))
        return found

    async def in_state(self, place: CarriedWorld, state: str, name: str = "", **spec: Any) -> UUID:
        """A contract that has been in this state for long, named like it."""
        name = name or state.lower()
        found = await place.contract(name, type="execute", **spec)
        path = path_of("contracts", place.namespace, name, "status")
        for step in ROUTES[state]:
            body = changed(await place.get(name), state=step, stateChangedTime=LONG_AGO)
            await place.admin.request("PUT", path, body=body)
        await self.record(place, name)
        return found

    async def put_status(self, place: CarriedWorld, name: str, status: dict[str, Any]) -> None:
        """As the operator writes and records it."""
        body = await place.get(name)
        path = path_of("contracts", place.namespace, name, "status")
        await place.admin.request("PUT", path, body={**body, "status": {**body["status"], **status}})
        await self.record(place, name)

    async def record(self, place: CarriedWorld, name: str) -> None:
        """Into the projection, as the operator does."""
        contract = Contract.from_object(await place.get(name))
        assert contract.status is not None
        history = PostgresHistory(self.url)
        await history.open()
        await history.record(HistoryBatch(rows=(contract_row(contract, contract.status),)))
        await history.close()

    async def spec(self, place: CarriedWorld, name: str) -> dict[str, Any]:
        """What is wished of the contract now."""
        found: dict[str, Any] = (await place.get(name))["spec"]
        return found

    def recorded(self, batch_id: str) -> dict[str, Any]:
        """The run's row."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            found = connection.execute("SELECT * FROM batch_operations WHERE id = %s", [batch_id]).fetchone()
        assert found is not None
        return found
