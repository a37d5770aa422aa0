"""An operator for a namespace of the module's own, and people with kubeconfigs: one may confirm, one edit, one read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.kube import MAY_CONFIRM, MAY_EDIT, MAY_VIEW, bind, person
from tests.support.operator_process import OperatorUnderTest, operators


@pytest.fixture(scope="module")
def module_database(sandbox: Sandbox, template_database: str) -> Iterator[str]:
    """A migrated database of this module's own."""
    name = f"tui_{uuid4().hex[:16]}"
    yield sandbox.database.create_database(name, template=template_database)
    sandbox.database.drop_database(name)


@dataclass(frozen=True)
class Home:
    """Where the test plays.

    Attributes:
        confirmer: kubeconfig of somebody who may edit and confirm.
        editor: kubeconfig of somebody who may edit, and not confirm.
        reader: kubeconfig of somebody who may only look.
    """

    admin: Connection
    namespace: str
    operator: OperatorUnderTest
    confirmer: Path
    editor: Path
    reader: Path


@pytest.fixture
async def home(
    installed_cluster: Sandbox, admin: Connection, namespace: str, module_database: str, tmp_path: Path
) -> AsyncIterator[Home]:
    """An operator at work in the test's namespace."""
    cluster = installed_cluster.cluster
    suffix = namespace.rpartition("-")[2]
    with operators(installed_cluster, namespace, module_database, tmp_path) as start:
        operator = start()
        async with (
            person(installed_cluster, namespace, f"carla-{suffix}") as carla,
            person(installed_cluster, namespace, f"ed-{suffix}") as ed,
            person(installed_cluster, namespace, f"rita-{suffix}") as rita,
        ):
            for who in (carla, ed):
                await bind(admin, who, "makima-edit", MAY_EDIT)
            await bind(admin, carla, "makima-confirm", MAY_CONFIRM)
            await bind(admin, rita, "makima-view", MAY_VIEW)
        operator.wait_leading()
        configs = (cluster.kubeconfig_for(who.user) for who in (carla, ed, rita))
        yield Home(admin, namespace, operator, *configs)
