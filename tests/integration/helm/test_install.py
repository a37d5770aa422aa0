"""A release's whole life on a real API server: installed, upgraded, rolled back, uninstalled, and installed again."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from makima.sandbox import Sandbox, start
from makima.sandbox.helm import HELMS
from tests.support.helm import CHART, EXTERNAL, Helm

pytestmark = [
    pytest.mark.xdist_group("helm-install"),
    pytest.mark.timeout(900),
    pytest.mark.parametrize(
        "helm",
        [pytest.param(p.version, marks=() if p is HELMS[0] else pytest.mark.exhaustive) for p in HELMS],
        indirect=True,
    ),
]
"""What the older Helm makes of the charts is seen in `test_rendered.py`; its releases are left to `make e2e`."""

NAMESPACE = "makima-system"
CONTRACT = {
    "apiVersion": "makima.dev/v1alpha1",
    "kind": "Contract",
    "metadata": {"name": "work", "namespace": "default"},
    "spec": {"type": "simple"},
}
KEPT = ("crd", "validatingadmissionpolicy", "validatingadmissionpolicybinding")


class Cluster:
    """An API server of a test's own, without anything of makima."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def call(self, *arguments: str, given: Any = None, kubeconfig: Path | None = None) -> tuple[int, str]:
        command = [
            str(self.sandbox.cluster.programs / "kubectl"),
            f"--kubeconfig={kubeconfig or self.sandbox.cluster.kubeconfig}",
        ]
        done = subprocess.run(
            [*command, *arguments], input=json.dumps(given), capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def run(self, *arguments: str, given: Any = None) -> str:
        code, said = self.call(*arguments, given=given)
        assert code == 0, f"kubectl {' '.join(arguments)}: {said}"
        return said

    def names(self, kind: str, *more: str) -> set[str]:
        selected = self.run("get", kind, "-l", "app.kubernetes.io/part-of=makima", "-o", "name", *more)
        return {line.partition("/")[2] for line in selected.splitlines() if "/" in line}

    def until(self, what: str, holds: Callable[[], bool], seconds: float = 300) -> None:
        """Wait for it; long enough for CRDs to go.

        The API server deletes a CRD as soon as its storage is there: "storage is (re)initializing", says its log until
        then, with twice the wait after each attempt.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            time.sleep(0.2)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """One for each test: quicker and surer than taking CRDs away again, which the API server may be minutes about."""
    found = start(f"helm-{uuid4().hex[:12]}", ends_with=os.getpid())
    yield Cluster(found)
    found.stop()


@pytest.fixture
def own(helm: Helm, cluster: Cluster) -> Helm:
    """Helm on that cluster."""
    return replace(helm, kubeconfig=cluster.sandbox.cluster.kubeconfig)


def install(helm: Helm, name: str = "makima", values: dict[str, Any] | None = None, *more: str) -> str:
    command = ("install", name, str(CHART), "-n", NAMESPACE, "--create-namespace", *more)
    return helm.run(*command, values={**EXTERNAL, **(values or {})}, seconds=300)


def settings(cluster: Cluster) -> str:
    return cluster.run("get", "configmap", "makima-config", "-n", NAMESPACE, "-o", "jsonpath={.data.makima\\.toml}")


def test_the_api_server_takes_every_object_and_a_release_lives_through_upgrade_rollback_uninstall_and_comes_back(
    own: Helm, cluster: Cluster
) -> None:
    said = install(own, "makima", {"postgres": {"enabled": True}, "database": {}}, "--dry-run=server")
    assert "kind: StatefulSet" in said
    assert not cluster.names("crd")

    assert "rollout status deployment/makima-operator" in install(own)
    assert cluster.names("crd") == {"contracts.makima.dev", "contracttypes.makima.dev", "supervisors.makima.dev"}
    cluster.until("the kind", lambda: cluster.call("create", "-f", "-", given=CONTRACT)[0] == 0)
    authority = cluster.run(
        "get", "secret", "makima-api-aggregated", "-n", NAMESPACE, "-o", "jsonpath={.data.ca\\.crt}"
    )
    first = settings(cluster)

    changed = {**EXTERNAL, "config": {"contracts": {"stale_threshold_minutes": 7}}}
    own.run("upgrade", "makima", str(CHART), "-n", NAMESPACE, values=changed, seconds=300)
    assert "stale_threshold_minutes = 7" in settings(cluster)
    own.run("rollback", "makima", "1", "-n", NAMESPACE, seconds=300)
    assert settings(cluster) == first
    now = cluster.run("get", "secret", "makima-api-aggregated", "-n", NAMESPACE, "-o", "jsonpath={.data.ca\\.crt}")
    assert now == authority, "the certificate that the API server trusts has changed by an upgrade"

    before = {kind: cluster.names(kind) for kind in KEPT}
    own.run("uninstall", "makima", "-n", NAMESPACE, seconds=300)
    assert {kind: cluster.names(kind) for kind in KEPT} == before
    assert cluster.names("clusterrole") >= {"makima-view", "makima-edit", "makima-admin"}
    assert cluster.names("clusterrolebinding") == set()
    cluster.until("the APIService to go", lambda: cluster.names("apiservice") == set())
    assert cluster.names("deployment,service,hpa,pdb,networkpolicy,configmap", "-n", NAMESPACE) == set()
    assert cluster.names("contract", "-A") == set()
    assert "work" in cluster.run("get", "contracts", "-A"), "contracts are still there, and readable"

    install(own)
    assert "work" in cluster.run("get", "contracts", "-A")
    cluster.run("delete", "contract", "work", "-n", "default", "--timeout=60s")
    own.run("uninstall", "makima", "-n", NAMESPACE, seconds=300)


@pytest.mark.exhaustive
def test_what_was_kept_can_be_taken_over_by_a_release_of_another_name(own: Helm, cluster: Cluster) -> None:
    install(own)
    own.run("uninstall", "makima", "-n", NAMESPACE, seconds=300)
    command = ("install", "other", str(CHART), "-n", NAMESPACE)
    code, said = own.call(*command, values=EXTERNAL, seconds=300)
    assert code != 0
    assert "ownership" in said
    own.run(*command, "--take-ownership", values=EXTERNAL, seconds=300)
    own.run("uninstall", "other", "-n", NAMESPACE, seconds=300)


@pytest.mark.exhaustive
def test_without_keeping_nothing_is_left(own: Helm, cluster: Cluster) -> None:
    install(own, "makima", {"crds": {"keep": False}})
    cluster.until("the kind", lambda: cluster.call("create", "-f", "-", given=CONTRACT)[0] == 0)
    cluster.until("all kinds", lambda: cluster.call("get", "contracts,contracttypes,supervisors", "-A")[0] == 0)
    own.run("uninstall", "makima", "-n", NAMESPACE, seconds=300)
    for kind in (*KEPT, "clusterrole", "clusterrolebinding"):
        cluster.until(f"{kind} to go", lambda kind=kind: cluster.names(kind) == set())  # type: ignore[misc]


def test_a_namespaces_owner_installs_beside_the_clusters_part(own: Helm, cluster: Cluster) -> None:
    off = {"enabled": False}
    admins = {"operator": off, "api": off, "rbac": {"releases": [{"name": "makima", "namespace": "team-a"}]}}
    install(own, "makima-cluster", admins)
    cluster.call("create", "namespace", "team-a")
    for role in ("admin", "edit", "view"):  # what Kubernetes' controllers make `admin` of; none runs here
        cluster.run(
            "create", "rolebinding", role, "-n", "team-a", f"--clusterrole=system:aggregate-to-{role}", "--user=olga"
        )
    olga = replace(own, kubeconfig=cluster.sandbox.cluster.kubeconfig_for("olga"))
    command = ("install", "makima", str(CHART), "-n", "team-a")
    values = {**EXTERNAL, "rbac": {"namespaces": ["team-a"]}}
    code, said = olga.call(*command, values=values, seconds=300)
    assert code != 0
    assert "attempting to grant RBAC permissions not currently held" in said
    olga.call("uninstall", "makima", "-n", "team-a")

    cluster.run(
        "create", "rolebinding", "install", "-n", "team-a", "--clusterrole=makima-cluster-install", "--user=olga"
    )
    cluster.until("her rights", lambda: olga.call(*command, "--dry-run=server", values=values, seconds=300)[0] == 0)
    olga.run(*command, values=values, seconds=300)
    asks = ("--as=system:serviceaccount:team-a:makima-operator", "auth", "can-i")
    writes = (*asks, "update", "contracts.makima.dev", "--subresource=status")
    assert cluster.call(*writes, "-n", "team-a")[0] == 0
    assert cluster.call(*asks, "get", "customresourcedefinitions/contracts.makima.dev")[0] == 0
    assert cluster.call(*writes, "-n", "default")[0] != 0
    olga.run("uninstall", "makima", "-n", "team-a", seconds=300)
    own.run("uninstall", "makima-cluster", "-n", NAMESPACE, seconds=300)
