"""kubectl and a kubeconfig are all that is needed, and everything else of kubectl goes on as before."""

from __future__ import annotations

import asyncio

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest
from tests.support.carried_world import CarriedWorld
from tests.support.kubeconfig_users import by_certificate

pytestmark = pytest.mark.xdist_group("aggregated")

ROOT = "/apis/monitor.makima.dev/v1alpha1"
ADMINS = ("system:masters",)
AGGREGATED_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def test_an_administrator_reads_with_kubectl(
    api: ApiUnderTest, world: CarriedWorld, installed_cluster: Sandbox
) -> None:
    uid = await world.contract("work", supervisor={})
    await world.life("work", uid, None)
    admin = by_certificate(installed_cluster, "admin", ADMINS)
    for address in (f"namespaces/{world.namespace}/contracts/work", f"contracts/{world.namespace}:work"):
        found = await asyncio.to_thread(admin.raw, f"{ROOT}/{address}/supervisor/status")
        assert found["task_id"] == (await world.get("work", "supervisors"))["metadata"]["uid"]


async def test_kubectl_shows_what_is_wrong_and_what_to_do(
    api: ApiUnderTest, world: CarriedWorld, installed_cluster: Sandbox
) -> None:
    admin = by_certificate(installed_cluster, "admin", ADMINS)
    path = f"{ROOT}/namespaces/{world.namespace}/contracts/nothing/supervisor/status"
    said = await asyncio.to_thread(admin.refused, "get", "--raw", path)
    assert said.startswith("Error from server (NotFound): CONTRACT_NOT_FOUND: there is no contract ")
    assert "\n  next: " in said


async def test_discovery_and_the_resources_of_that_name_are_as_before(
    api: ApiUnderTest, admin: Connection, world: CarriedWorld, installed_cluster: Sandbox
) -> None:
    groups = (await admin.request("GET", "/apis", accept=AGGREGATED_DISCOVERY))["items"]
    (found,) = (group for group in groups if group["metadata"]["name"] == "monitor.makima.dev")
    assert found["versions"] == [{"version": "v1alpha1", "freshness": "Current"}]
    person = by_certificate(installed_cluster, "admin", ADMINS)
    await world.contract("work")
    listed = await asyncio.to_thread(person.run, "get", "contracts", "-n", world.namespace, "-o", "name")
    assert (listed.stdout, listed.stderr) == ("contract.makima.dev/work\n", "")
    kinds = await asyncio.to_thread(person.run, "api-resources", "-o", "name")
    assert (kinds.returncode, kinds.stderr) == (0, "")
    assert "contracts.makima.dev\n" in kinds.stdout
    assert "monitor.makima.dev" not in kinds.stdout
