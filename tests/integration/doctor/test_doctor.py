"""`makima doctor` on a real API server and a real Postgres: what is well, and each thing that can be wrong."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from makima.schema.rbac import OPERATOR

LEASES = "/apis/coordination.k8s.io/v1/namespaces"


async def doctor(kubeconfig: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "makima", "doctor", *arguments]
    variables = {**os.environ, "KUBECONFIG": str(kubeconfig), **environment}
    done = await asyncio.to_thread(
        subprocess.run, command, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


async def lease(admin: Connection, namespace: str, age_seconds: float = 0) -> dict[str, str]:
    """A Lease that an operator holds; gives the configuration that names it."""
    from datetime import UTC, datetime, timedelta

    renewed = (datetime.now(UTC) - timedelta(seconds=age_seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "one", "renewTime": renewed, "leaseDurationSeconds": 300}
    body = {"metadata": {"name": "makima-operator"}, "spec": spec}
    await admin.request("POST", f"{LEASES}/{namespace}/leases", body=body)
    return {"MAKIMA_OPERATOR__LEASE_NAMESPACE": namespace}


async def test_all_is_well(installed_cluster: Sandbox, admin: Connection, namespace: str, database_url: str) -> None:
    where = await lease(admin, namespace)
    kubeconfig = installed_cluster.cluster.kubeconfig
    code, said = await doctor(kubeconfig, "--account", "operator", MAKIMA_DATABASE_URL=database_url, **where)
    assert code == 0, said
    assert said.count("ok  ") == 6, said
    assert said.endswith("all is well\n")


async def test_everything_that_is_wrong_is_told_with_what_to_do(
    installed_cluster: Sandbox, admin: Connection, namespace: str, empty_database_url: str
) -> None:
    where = await lease(admin, namespace, age_seconds=3600)
    user = installed_cluster.cluster.kubeconfig_for(f"nobody-{uuid4().hex[:6]}")
    wrong = {"MAKIMA_DATABASE_URL": empty_database_url, **where}
    code, said = await doctor(installed_cluster.cluster.kubeconfig, **wrong)
    assert code == 3
    assert "BAD  database: the schema is at nothing" in said
    assert "next: makima migrate up" in said
    assert "BAD  lease: one held it, and has not renewed it" in said
    code, said = await doctor(user, "--account", "operator", **wrong)
    assert code == 3
    assert "BAD  rights of operator: not allowed: " in said
    assert "delete pods" in said


async def test_the_operators_role_is_enough_for_its_rights(
    installed_cluster: Sandbox, admin: Connection, namespace: str, database_url: str
) -> None:
    """Bound to the account as the chart does it: nothing is missing."""
    where = await lease(admin, namespace)
    user = f"op-{uuid4().hex[:6]}"
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": OPERATOR}
    binding = {"metadata": {"name": user}, "roleRef": role, "subjects": [subject]}
    await admin.request("POST", f"{rbac}/clusterrolebindings", body=binding)
    rules = [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "watch", "create", "update"]}
    ]
    await admin.request(
        "POST", f"{rbac}/namespaces/{namespace}/roles", body={"metadata": {"name": "lease"}, "rules": rules}
    )
    held = {"metadata": {"name": "lease"}, "roleRef": {**role, "kind": "Role", "name": "lease"}, "subjects": [subject]}
    await admin.request("POST", f"{rbac}/namespaces/{namespace}/rolebindings", body=held)
    kubeconfig = installed_cluster.cluster.kubeconfig_for(user)
    for _ in range(60):  # the API server notices a binding a moment later
        code, said = await doctor(kubeconfig, "--account", "operator", MAKIMA_DATABASE_URL=database_url, **where)
        if code == 0:
            break
        await asyncio.sleep(0.5)
    assert code == 0, said
    assert "rights of operator: everything that it calls is allowed" in said


@pytest.mark.parametrize("url", ["postgresql://makima:secret@127.0.0.1:1/none"])
async def test_a_database_that_is_away_is_told_without_its_password(installed_cluster: Sandbox, url: str) -> None:
    code, said = await doctor(installed_cluster.cluster.kubeconfig, MAKIMA_DATABASE_URL=url)
    assert code == 3
    assert "BAD  database: " in said
    assert "secret" not in said
