"""Contracts that are carried: on a real API server and in a real Postgres, with the test in the operator's place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import path_of
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.supervision import Session
from tests.support.api_process import ApiUnderTest, CallerOf, make_account, token_of
from tests.support.kube import RBAC, Body, an_object, contract

TEMPLATE: Body = {"containers": [{"name": "agent", "image": "example.test/agent:1"}]}


@dataclass(frozen=True)
class Pod:
    """A pod of the service account `agent`, and a token that names it."""

    name: str
    uid: UUID
    token: str


class CarriedWorld:
    """One namespace."""

    def __init__(
        self, admin: Connection, namespace: str, store: PostgresSupervision, http: aiohttp.ClientSession
    ) -> None:
        self.admin, self.namespace, self.store, self.http = admin, namespace, store, http

    async def account(self, name: str, *roles: str) -> str:
        """A service account with these cluster roles in the namespace; its token."""
        await make_account(self.admin, self.namespace, name)
        for role in roles:
            binding = {
                "metadata": {"name": f"{name}-{role}"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.namespace}],
            }
            await self.admin.request("POST", f"{RBAC}/namespaces/{self.namespace}/rolebindings", body=binding)
        return await token_of(self.admin, self.namespace, name)

    def caller(self, api: ApiUnderTest, token: str | None) -> CallerOf:
        """Somebody who calls this API process."""
        return CallerOf(self.http, api.url, token)

    async def contract(self, name: str, *, supervisor: Body | None = None, **spec: Any) -> UUID:
        """A contract as the operator has accepted it, with a Supervisor (None: none); the contract's id."""
        await self.admin.request("POST", path_of("contracts", self.namespace), body=contract(name, **spec))
        if supervisor is not None:
            body = an_object("Supervisor", name, supervisor)
            await self.admin.request("POST", path_of("supervisors", self.namespace), body=body)
        return UUID((await self.drive(name))["metadata"]["uid"])

    async def get(self, name: str, plural: str = "contracts") -> Body:
        """The object as it is."""
        return await self.admin.request("GET", path_of(plural, self.namespace, name))

    async def status(self, name: str) -> Body:
        """The contract's status."""
        found: Body = (await self.get(name))["status"]
        return found

    async def drive(self, name: str) -> Body:
        """One look of the operator at a contract, with its write."""
        body = await self.get(name)
        around = Surroundings(settings=Settings(), now=datetime.now(UTC))
        decision = decide(Contract.from_object(body), around)
        if decision.status is None:
            return body
        status = decision.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        path = path_of("contracts", self.namespace, name, "status")
        return await self.admin.request("PUT", path, body={**body, "status": status})

    async def pod(self, account: str = "agent") -> Pod:
        """A pod that the operator would have made."""
        name = f"pod-{uuid4().hex[:8]}"
        spec = {"serviceAccountName": account, "containers": TEMPLATE["containers"]}
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        made = await self.admin.request("POST", path, body={"metadata": {"name": name}, "spec": spec})
        uid = made["metadata"]["uid"]
        token = await token_of(self.admin, self.namespace, account, pod=(name, uid))
        return Pod(name, UUID(uid), token)

    async def delete_pod(self, pod: Pod) -> None:
        """Gone at once."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod.name}"
        await self.admin.request("DELETE", path, body={"gracePeriodSeconds": 0})

    async def life(self, name: str, contract_id: UUID, pod: Pod | None, after: int = 0) -> Session:
        """The next life, as the operator begins it for a pod."""
        task_id = UUID((await self.get(name, "supervisors"))["metadata"]["uid"])
        session = Session(contract_id, task_id, self.namespace, name, 0)
        session = await self.store.registry.allocate(session, after=after)
        if pod is not None:
            session = await self.store.registry.set_pod(contract_id, session.incarnation, pod.uid)
        return session

    def registration(self, name: str, **fields: Any) -> Body:
        """The body of a call to register."""
        return {"namespace": self.namespace, "name": name, "registration_id": str(uuid4()), **fields}


def beat(registered: Body, sequence: int = 1, **fields: Any) -> Body:
    """A heartbeat of a life, by the answer to its registration."""
    return {
        "contract_id": registered["contract_id"],
        "task_id": registered["task_id"],
        "incarnation": registered["incarnation"],
        "sequence": sequence,
        "state": "working",
        "phase": "plan",
        "current_activity": "reading",
        **fields,
    }


def address(registered: Body, rest: str = "heartbeat") -> str:
    """The path of a call about a contract."""
    return f"/api/v1/contracts/{registered['contract_id']}/supervisor/{rest}"
