"""What the chart makes of its values: safe pods, the least of rights, and nothing of what is switched off."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest
from cryptography.x509 import DNSName, SubjectAlternativeName, load_pem_x509_certificate

from makima.schema.admission import render_policies
from makima.schema.crds import render_crds
from makima.schema.rbac import api_rules, lease_rules, needs_cluster_scope, operator_rules, people_roles
from tests.support.helm import EVERYTHING, EXTERNAL, Helm, Objects, pod_specs

NAMESPACED = {
    "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Role", "RoleBinding",
    "Secret", "Service", "ServiceAccount", "StatefulSet", "ServiceMonitor", "PrometheusRule", "Pod",
}  # fmt: skip
INSTALLED = ("CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
KEEP = "helm.sh/resource-policy"


@pytest.fixture(scope="module")
def everything(helm: Helm) -> Objects:
    return helm.render(EVERYTHING)


def kinds(objects: Objects) -> set[str]:
    return {kind for kind, _ in objects}


def test_every_pod_is_restricted_and_can_write_to_nothing_but_tmp(everything: Objects) -> None:
    specs = pod_specs(everything)
    assert {"Deployment/makima-operator", "Deployment/makima-api", "StatefulSet/makima-postgres"} <= set(specs)
    for where, spec in specs.items():
        assert spec["securityContext"]["runAsNonRoot"] is True, where
        assert spec["securityContext"]["runAsUser"] > 0, where
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert not spec.get("hostNetwork") and not spec.get("hostPID"), where
        assert not any("hostPath" in volume for volume in spec["volumes"]), where
        for container in [*spec["containers"], *spec.get("initContainers", ())]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, where
            assert context["readOnlyRootFilesystem"] is True, where
            assert context["capabilities"] == {"drop": ["ALL"]}, where
            assert "memory" in container["resources"]["limits"], where


def test_everything_carries_the_labels_of_the_release(everything: Objects) -> None:
    for where, item in everything.items():
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "makima", where
        assert labels["app.kubernetes.io/instance"] == "makima", where
        assert labels["app.kubernetes.io/managed-by"] == "Helm", where


def test_crds_and_policies_are_the_generated_ones_and_are_kept(everything: Objects) -> None:
    wanted = [*render_crds(), *render_policies()]
    assert {key for key in everything if key[0] in INSTALLED} == {(w["kind"], w["metadata"]["name"]) for w in wanted}
    for manifest in wanted:
        found = everything[manifest["kind"], manifest["metadata"]["name"]]
        assert found["spec"] == manifest["spec"]
        assert found["metadata"]["annotations"] == {**manifest["metadata"]["annotations"], KEEP: "keep"}


def test_rights_are_those_of_the_schema(everything: Objects) -> None:
    assert everything["ClusterRole", "makima-operator"]["rules"] == operator_rules()
    assert everything["ClusterRole", "makima-api"]["rules"] == api_rules()
    assert everything["Role", "makima-operator-home"]["rules"] == lease_rules()
    for role in people_roles():
        found = everything["ClusterRole", role["metadata"]["name"]]
        assert found["rules"] == role["rules"]
        assert role["metadata"]["labels"].items() <= found["metadata"]["labels"].items()
        assert found["metadata"]["annotations"][KEEP] == "keep", "people go on reading what is kept"


def test_bindings_give_each_account_its_own_role(everything: Objects) -> None:
    for name in ("makima-operator", "makima-api"):
        binding = everything["ClusterRoleBinding", name]
        assert binding["roleRef"]["name"] == name
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": name, "namespace": "makima-system"}]
        assert pod_specs(everything)[f"Deployment/{name}"]["serviceAccountName"] == name


def test_with_namespaces_there_are_roles_only(helm: Helm) -> None:
    values = {**EVERYTHING, "rbac": {"namespaces": ["team-a"], "releases": [{"name": "x", "namespace": "y"}]}}
    found = helm.render(values)
    assert kinds(found) <= NAMESPACED
    role = found["Role", "makima-operator"]
    assert role["metadata"]["namespace"] == "team-a"
    assert role["rules"] == [rule for rule in operator_rules() if not needs_cluster_scope(rule)]
    assert found["Role", "makima-operator-home"]["metadata"]["namespace"] == "makima-system"
    assert all(item["metadata"].get("namespace") in {"team-a", "makima-system"} for item in found.values())
    assert env(found, "makima-operator")["MAKIMA_OPERATOR__NAMESPACES"] == '["team-a"]'


def test_the_clusters_part_alone_has_nothing_that_runs(helm: Helm) -> None:
    values = {
        "operator": {"enabled": False},
        "api": {"enabled": False},
        "rbac": {"releases": [{"name": "m", "namespace": "t"}]},
    }
    found = helm.render(values, name="makima-cluster")
    assert kinds(found) == {*INSTALLED, "ClusterRole", "ClusterRoleBinding"}
    given = found["ClusterRole", "makima-cluster-owners-operator"]["rules"]
    assert given == [rule for rule in operator_rules() if needs_cluster_scope(rule)]
    bound = found["ClusterRoleBinding", "makima-cluster-owners-api"]["subjects"]
    assert bound == [{"kind": "ServiceAccount", "name": "m-api", "namespace": "t"}]


def test_the_api_server_is_told_whom_to_trust_on_the_aggregated_api(everything: Objects) -> None:
    spec = everything["APIService", "v1alpha1.monitor.makima.dev"]["spec"]
    secret = everything["Secret", "makima-api-aggregated"]
    assert spec["caBundle"] == secret["data"]["ca.crt"]
    assert spec["service"] == {"name": "makima-api", "namespace": "makima-system", "port": 443}
    certificate = load_pem_x509_certificate(b64decode(secret["data"]["tls.crt"]))
    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value.get_values_for_type(DNSName)
    assert names == ["makima-api.makima-system.svc"]
    ports = {port["name"]: port["targetPort"] for port in everything["Service", "makima-api"]["spec"]["ports"]}
    assert ports == {"http": "api", "aggregated": "aggregated"}
    binding = everything["RoleBinding", "makima-front-proxy"]
    assert binding["metadata"]["namespace"] == "kube-system"
    assert binding["subjects"][0]["name"] == "makima-api"


def test_the_clusters_part_can_register_another_release(newest_helm: Helm) -> None:
    off = {"enabled": False}
    other = {"release": {"name": "makima", "namespace": "team-a"}, "caBundle": "QQ=="}
    found = newest_helm.render({"operator": off, "api": off, "aggregatedApi": other}, name="makima-cluster")
    spec = found["APIService", "v1alpha1.monitor.makima.dev"]["spec"]
    assert spec["service"] == {"name": "makima-api", "namespace": "team-a", "port": 443}
    subject = found["RoleBinding", "makima-cluster-front-proxy"]["subjects"][0]
    assert subject == {"kind": "ServiceAccount", "name": "makima-api", "namespace": "team-a"}


OFF: dict[str, tuple[dict[str, Any], set[str]]] = {
    "CRDs": ({"crds": {"install": False}}, set(INSTALLED)),
    "RBAC": (
        {"rbac": {"create": False, "people": False}},
        {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
    ),
    "autoscaling": ({"api": {"autoscaling": {"enabled": False}}}, {"HorizontalPodAutoscaler"}),
    "network policies": ({"networkPolicy": {"enabled": False}}, {"NetworkPolicy"}),
    "disruption budgets": (
        {"api": {"pdb": {"enabled": False}}, "operator": {"pdb": {"enabled": False}}},
        {"PodDisruptionBudget"},
    ),
    "Postgres": ({}, {"StatefulSet"}),
    "the aggregated API": ({"aggregatedApi": {"enabled": False}}, {"APIService", "Secret"}),
    "monitoring": ({}, {"ServiceMonitor", "PrometheusRule"}),
    "accounts": (
        {"api": {"serviceAccount": {"create": False}}, "operator": {"serviceAccount": {"create": False}}},
        {"ServiceAccount"},
    ),
}


@pytest.mark.parametrize("name", OFF)
def test_what_is_off_is_not_there(newest_helm: Helm, name: str) -> None:
    values, gone = OFF[name]
    assert not kinds(newest_helm.render({**EXTERNAL, **values})) & gone


def test_crds_that_are_not_kept_go_with_the_release(newest_helm: Helm) -> None:
    for item in newest_helm.render({**EXTERNAL, "crds": {"keep": False}}).values():
        assert KEEP not in (item["metadata"].get("annotations") or {})


def test_the_database_comes_by_secret_only(newest_helm: Helm) -> None:
    found = newest_helm.render({"database": {"existingSecret": {"name": "db", "key": "address"}}})
    for name, spec in pod_specs(found).items():
        for container in [*spec["containers"], *spec.get("initContainers", ())]:
            (url,) = [item for item in container["env"] if item["name"] == "MAKIMA_DATABASE_URL"]
            assert url["valueFrom"] == {"secretKeyRef": {"name": "db", "key": "address"}}, name


def test_migrations_run_before_each_process(newest_helm: Helm) -> None:
    deployed = {name: spec for name, spec in pod_specs(newest_helm.render(EXTERNAL)).items() if "Deployment" in name}
    assert len(deployed) == 2
    for spec in deployed.values():
        (migration,) = spec["initContainers"]
        assert migration["args"] == ["migrate", "up", "--accept-newer", "--wait", "600"]
    off = newest_helm.render({**EXTERNAL, "migrations": {"enabled": False}})
    assert all("initContainers" not in spec for spec in pod_specs(off).values())


def test_new_settings_start_new_pods(newest_helm: Helm) -> None:
    def checksum(settings: dict[str, Any]) -> str:
        found = newest_helm.render({**EXTERNAL, "config": settings})
        text: str = found["Deployment", "makima-api"]["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return text

    assert checksum({}) == checksum({})
    assert checksum({}) != checksum({"api": {"streams": 7}})


def env(objects: Objects, deployment: str) -> dict[str, Any]:
    (container,) = pod_specs(objects)[f"Deployment/{deployment}"]["containers"]
    return {item["name"]: item.get("value") for item in container["env"]}


@pytest.mark.parametrize(
    ("name", "values", "api"),
    [
        ("makima", {}, "http://makima-api.makima-system.svc:8090"),
        ("blue", {}, "http://blue-makima-api.makima-system.svc:8090"),
        ("x", {"fullnameOverride": "work"}, "http://work-api.makima-system.svc:8090"),
        ("makima", {"api": {"tls": {"existingSecret": "t"}}}, "https://makima-api.makima-system.svc:8090"),
    ],
)
def test_supervisors_are_told_where_the_api_service_is(
    newest_helm: Helm, name: str, values: dict[str, Any], api: str
) -> None:
    found = newest_helm.render({**EXTERNAL, **values}, name=name)
    (operator,) = [name for kind, name in found if kind == "Deployment" and name.endswith("-operator")]
    assert env(found, operator)["MAKIMA_SUPERVISORS__API_URL"] == api
    assert ("Service", api.partition("//")[2].partition(".")[0]) in found
