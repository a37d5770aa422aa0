"""A sandbox for one measurement: real etcd, kube-apiserver and Postgres, with CRDs, policies and roles installed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from makima import database
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox, start
from makima.wiring import install

NAMESPACE = "bench"
SYSTEM = "makima-system"
OPERATOR, TWIN = "makima-operator", "bench-plain-kopf"
TWIN_RULES = [
    {"apiGroups": ["makima.dev"], "resources": ["*"], "verbs": ["get", "list", "watch", "patch", "update"]},
    {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]},
    {
        "apiGroups": ["apiextensions.k8s.io"],
        "resources": ["customresourcedefinitions"],
        "verbs": ["get", "list", "watch"],
    },
]
"""What kopf asks for in its documentation: it patches the objects themselves, which makima's account may not."""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class BenchCluster:
    """Everything that a measurement needs.

    Attributes:
        admin: the load generator's connection; an administrator, who may confirm.
        operator_kubeconfig: makima's own service account; the raw twin uses it too.
        twin_kubeconfig: an account that may patch contracts, for plain kopf; of the same API priority.
        scratch: logs go here.
    """

    sandbox: Sandbox
    admin: Connection
    operator_kubeconfig: Path
    twin_kubeconfig: Path
    scratch: Path

    async def fresh_database(self) -> str:
        """The address of a new, migrated database."""

        def make() -> str:
            url = self.sandbox.database.create_database(f"bench_{next(_numbers)}")
            database.upgrade(url, "head", 60)
            return url

        return await asyncio.to_thread(make)


@asynccontextmanager
async def bench_cluster(scratch: Path) -> AsyncIterator[BenchCluster]:
    """A sandbox that ends with the block, or with this process."""
    # The API server's own garbage collection is not what is compared; the same for every contender.
    os.environ.setdefault("GOGC", "400")
    os.environ.setdefault("GOMEMLIMIT", "4GiB")
    sandbox = await asyncio.to_thread(start, f"bench-{os.getpid()}", ends_with=os.getpid())
    try:
        cluster = sandbox.cluster
        await install(cluster.kubeconfig)
        async with Connection(await load_configuration(cluster.kubeconfig), "bench-load") as admin:
            await admin.request("POST", "/api/v1/namespaces", body={"metadata": {"name": NAMESPACE}})
            await _let_twin_in(admin)
            yield BenchCluster(sandbox, admin, _account(sandbox, OPERATOR), _account(sandbox, TWIN), scratch)
    finally:
        await asyncio.to_thread(sandbox.stop)


def _account(sandbox: Sandbox, name: str) -> Path:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}")
    return sandbox.cluster.kubeconfig_for(f"system:serviceaccount:{SYSTEM}:{name}", groups=groups)


async def _let_twin_in(admin: Connection) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": TWIN}
    subject = {"kind": "ServiceAccount", "name": TWIN, "namespace": SYSTEM}
    metadata = {"name": TWIN}
    await admin.request("POST", f"{roles}/clusterroles", body={"metadata": metadata, "rules": TWIN_RULES})
    body = {"metadata": metadata, "roleRef": role, "subjects": [subject]}
    await admin.request("POST", f"{roles}/clusterrolebindings", body=body)
