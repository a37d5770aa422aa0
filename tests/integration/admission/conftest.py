"""The people of these tests. No operator runs here: what refuses is the API server alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.kube import MAY_EDIT, Cast, Person, bind, cast, give, person


@pytest.fixture
async def people(installed_cluster: Sandbox, admin: Connection, namespace: str) -> AsyncIterator[Cast]:
    """An editor, a confirmer, a supervisor's account and the operator's, in this test's namespace."""
    async with cast(installed_cluster, admin, namespace) as them:
        yield them


@pytest.fixture
async def runner(installed_cluster: Sandbox, admin: Connection, people: Cast) -> AsyncIterator[Person]:
    """Somebody who edits contracts and may create pods, and use no service account in particular."""
    async with person(installed_cluster, people.namespace, "ron", ("developers",), "runner") as runner:
        await bind(admin, runner, "makima-edit", MAY_EDIT)
        await give(admin, runner, "create", "pods")
        yield runner
