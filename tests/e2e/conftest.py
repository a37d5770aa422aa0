"""One real node for the whole run, with the image of makima on it; skipped, with the reason, where none can run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from makima.sandbox import Sandbox, attach, start
from makima.sandbox.image.makima_image import write_makima_image
from makima.sandbox.locking import exclusive
from makima.sandbox.node.requirements import Machine, reasons_against
from tests.conftest import RUN
from tests.e2e.given import given
from tests.e2e.in_pods import InPods
from tests.e2e.kubectl import RESTRICTED, Kubectl
from tests.support.kills.world import World, world

GIT_AND_SHELL = ("git", "sh", "basename", "dirname", "mkdir", "stat", "tee")
"""Programs of this machine for worktrees (`makima.domain.tasks.worktree_scripts`) and for the tasks of tests."""


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means."""
    config.addinivalue_line("markers", "any_cluster: also runs in a cluster that `make e2e KUBECONFIG=…` names")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of this folder need a node; says why they are skipped where there can be none, or is another cluster.

    Who is in no group starts a node for its module: that is a group then, and runs beside those that share a node.
    """
    own = [item for item in items if Path(__file__).parent in item.path.parents]
    elsewhere = given("KUBECONFIG")
    if elsewhere:
        reasons = ["needs a node of the sandbox's own, and this run is for the cluster of KUBECONFIG=…"]
    else:
        reasons = reasons_against(Machine.here()) if own else []
    for item in own:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(900))
        if reasons and not (elsewhere and item.get_closest_marker("any_cluster")):
            item.add_marker(pytest.mark.skip(reason="; ".join(reasons)))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run's node; its guard does so if this is never reached."""
    if not hasattr(config, "workerinput"):
        found = attach(f"node-{os.environ[RUN]}")
        if found is not None:
            found.stop()


@pytest.fixture(scope="package")
def node_sandbox() -> Iterator[Sandbox]:
    """A sandbox with a node; its tests are one group, so one worker has it, and ends it: idle it takes time, too."""
    found = start(f"node-{os.environ[RUN]}", node=True, ends_with=int(os.environ[RUN]))
    yield found
    found.stop()


@pytest.fixture(scope="package")
def image(node_sandbox: Sandbox) -> str:
    """The name of makima's image, which the node has."""
    archive = node_sandbox.folder / "makima.tar"
    with exclusive(node_sandbox.folder / "image.lock"):
        if not archive.exists():
            write_makima_image(archive, GIT_AND_SHELL)
            assert node_sandbox.node is not None
            node_sandbox.node.load(archive)
    from makima.sandbox.node.images import archive_names

    return archive_names(archive)[0]


@pytest.fixture(scope="package")
def installed_node(node_sandbox: Sandbox) -> Sandbox:
    """The node's cluster with CRDs, policies and roles in place and enforced."""
    done = node_sandbox.folder / "installed"
    with exclusive(node_sandbox.folder / "install.lock"):
        if not done.exists():
            from makima.wiring import install

            asyncio.run(install(node_sandbox.cluster.kubeconfig))
            done.touch()
    return node_sandbox


@asynccontextmanager
async def world_of_pods(sandbox: Sandbox, image: str, folder: Path) -> AsyncIterator[World]:
    """Operator, two API replicas and Postgres on this machine, supervisors in pods, in a namespace of their own."""
    kubectl = in_namespace(sandbox)
    assert sandbox.node is not None
    address = str(sandbox.node.addresses.host)
    async with world(sandbox, kubectl.namespace, InPods(sandbox, kubectl, image), folder, address=address) as found:
        yield found
    kubectl.run("delete", "namespace", kubectl.namespace, "--wait=false")


def in_namespace(sandbox: Sandbox) -> Kubectl:
    """kubectl in a new namespace, where pods have to be `restricted`."""
    tool = Kubectl(sandbox.cluster.programs / "kubectl", sandbox.cluster.kubeconfig, f"e2e-{uuid4().hex[:8]}")
    tool.create_namespace(RESTRICTED)
    return tool


@pytest.fixture
def kubectl(node_sandbox: Sandbox) -> Iterator[Kubectl]:
    """kubectl in a namespace of this test's own, where pods have to be `restricted`."""
    tool = in_namespace(node_sandbox)
    yield tool
    tool.run("delete", "namespace", tool.namespace, "--wait=false")
