"""Where heartbeats go: a fleet that is registered in Postgres, one `makima api` process, and accounts with tokens."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg

from bench.beats.fleet import CURRENT, PHASE, contract_id, task_id
from bench.cluster import NAMESPACE, SYSTEM, BenchCluster
from bench.contenders.processes import Contender, inherited, launch
from bench.deadlines import until
from makima.adapters.kubernetes.connection import Connection

API_USER = f"system:serviceaccount:{SYSTEM}:makima-api"
API_GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated")
AUDIENCE = "makima.dev"
ELSEWHERE = "bench-elsewhere"
CARRIERS = ("carrier-1", "carrier-2", "carrier-3", "carrier-4")
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def register_all(database_url: str, number: int) -> None:
    """So many external supervisors, each in its second life: a row in `supervisors`, as `register` leaves it."""
    columns = "contract_id, task_id, namespace, name, incarnation, registration_id, registered_at, host, phase"
    now = datetime.now(UTC)
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY supervisors ({columns}) FROM STDIN".encode()) as copy:
            for index in range(number):
                ids = (contract_id(index), task_id(index))
                registration = UUID(int=index + 1)
                copy.write_row((*ids, NAMESPACE, f"s{index:05d}", CURRENT, registration, now, "bench", PHASE))
        cursor.execute("ANALYZE supervisors")


async def accounts(admin: Connection) -> tuple[list[str], str]:
    """Tokens of accounts that may supervise the whole namespace, and of one that may do so only in another."""
    await admin.request("POST", "/api/v1/namespaces", body={"metadata": {"name": ELSEWHERE}})
    good = [await _account(admin, NAMESPACE, name) for name in CARRIERS]
    return good, await _account(admin, ELSEWHERE, "stranger")


async def _account(admin: Connection, namespace: str, name: str) -> str:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    await admin.request("POST", path, body={"metadata": {"name": name}})
    binding = {
        "metadata": {"name": f"{name}-supervises"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makima-supervise"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    await admin.request("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", body=binding)
    body = {"spec": {"audiences": [AUDIENCE], "expirationSeconds": 7200}}
    answer = await admin.request("POST", f"{path}/{name}/token", body=body)
    return str(answer["status"]["token"])


@asynccontextmanager
async def api_process(cluster: BenchCluster, database_url: str) -> AsyncIterator[tuple[Contender, int]]:
    """`makima api` on its own service account, and its port, from here to the end of the block."""
    ports = cluster.scratch / f"api-{time.time_ns()}.ports"
    found = _launch(cluster, database_url, ports)
    try:
        yield found, await _ready(found, ports)
    finally:
        await found.stop()


def _launch(cluster: BenchCluster, database_url: str, ports: Path) -> Contender:
    environment = {
        **inherited(),
        "KUBECONFIG": str(cluster.sandbox.cluster.kubeconfig_for(API_USER, groups=API_GROUPS)),
        "MAKIMA_DATABASE_URL": database_url,
        "MAKIMA_API__PORTS_FILE": str(ports),
        **{f"MAKIMA_API__{name}": "0" for name in ("PORT", "HEALTH_PORT", "METRICS_PORT")},
    }
    return launch("makima-api", cluster, [sys.executable, "-m", "makima", "api"], environment)


async def _ready(found: Contender, ports: Path) -> int:
    def serves() -> bool:
        found.check()
        return "metrics=" in (ports.read_text() if ports.exists() else "") and _answers(_port(ports, "health"))

    await until(serves, 180, "the API service to be ready", pause=0.05)
    return _port(ports, "api")


def _port(ports: Path, name: str) -> int:
    return int(dict(line.split("=") for line in ports.read_text().split())[name])


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
