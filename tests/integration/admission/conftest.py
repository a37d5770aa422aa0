"""The people of these tests. No operator runs here: what refuses is the API server alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.kube import Cast, cast


@pytest.fixture
async def people(installed_cluster: Sandbox, admin: Connection, namespace: str) -> AsyncIterator[Cast]:
    """An editor, a confirmer, a supervisor's account and the operator's, in this test's namespace."""
    async with cast(installed_cluster, admin, namespace) as them:
        yield them
