"""People in a namespace of the test's own; no operator runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.kube import Cast, Person, cast


@pytest.fixture
async def people(installed_cluster: Sandbox, admin: Connection, namespace: str) -> AsyncIterator[Cast]:
    """An editor, a confirmer, a supervisor's account and the operator's."""
    async with cast(installed_cluster, admin, namespace) as them:
        yield them


@pytest.fixture
def root(admin: Connection, namespace: str) -> Person:
    """An administrator at work in this namespace, for what needs the right to create pods."""
    return Person("admin", "admin", admin, namespace)
