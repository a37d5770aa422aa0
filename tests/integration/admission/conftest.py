"""The people of these tests. No operator runs here: what refuses is the API server alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.errors import Denied
from makima.sandbox import Sandbox
from tests.support.kube import Cast, an_object, cast


@pytest.fixture
async def enforced(admin: Connection, namespace: str) -> None:
    """The last policy that is installed is enforced, so all are (the installation itself waits for the first)."""
    probe = an_object("Supervisor", "probe", {}, labels={"makima.dev/contract": "another"})
    path = f"/apis/makima.dev/v1alpha1/namespaces/{namespace}/supervisors"
    for _ in range(600):
        try:
            await admin.request("POST", path, body=probe, query={"dryRun": "All"})
        except Denied:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the policies are not enforced")


@pytest.fixture
async def people(installed_cluster: Sandbox, admin: Connection, namespace: str, enforced: None) -> AsyncIterator[Cast]:
    """An editor, a confirmer, a supervisor's account and the operator's, in this test's namespace."""
    async with cast(installed_cluster, admin, namespace) as them:
        yield them
