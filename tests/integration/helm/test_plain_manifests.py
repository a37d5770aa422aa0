"""manifests/overlays beside the chart: the same objects, and the API server takes them."""

from __future__ import annotations

import subprocess

import pytest

from makima.sandbox import Sandbox
from tests.support.helm import Helm
from tests.support.plain_manifests import FOLDER, OVERLAYS, ROOT, overlay_files
from tests.support.yaml_documents import documents

KNOWN_TO_A_PLAIN_CLUSTER = ("default", "aggregated-api")


def kubectl(sandbox: Sandbox, *arguments: str) -> str:
    command = [str(sandbox.cluster.programs / "kubectl"), f"--kubeconfig={sandbox.cluster.kubeconfig}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_they_are_what_the_chart_renders(helm: Helm) -> None:
    for name, text in overlay_files(helm).items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run `make manifests`"


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_an_overlay_refers_to_is_in_it(sandbox: Sandbox, name: str) -> None:
    built = documents(kubectl(sandbox, "kustomize", str(ROOT / FOLDER / name)))
    there = {(item["kind"], item["metadata"]["name"]) for item in built}
    deployments = [item["spec"]["template"]["spec"] for item in built if item["kind"] == "Deployment"]
    assert len(deployments) == 2
    for spec in deployments:
        assert ("ServiceAccount", spec["serviceAccountName"]) in there
        for volume in spec["volumes"]:
            assert "configMap" not in volume or ("ConfigMap", volume["configMap"]["name"]) in there
    bound = {subject["name"] for item in built if item["kind"] == "ClusterRoleBinding" for subject in item["subjects"]}
    assert bound == {spec["serviceAccountName"] for spec in deployments}


@pytest.mark.parametrize("name", KNOWN_TO_A_PLAIN_CLUSTER)
def test_the_api_server_takes_an_overlay(installed_cluster: Sandbox, name: str) -> None:
    options = ("--server-side", "--force-conflicts", "--dry-run=server")
    said = kubectl(installed_cluster, "apply", *options, "-k", str(ROOT / FOLDER / name))
    assert "deployment.apps/makima-operator serverside-applied" in said
