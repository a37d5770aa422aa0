"""Pods that the operator makes: the API server takes them in a `restricted` namespace, and nobody else can make one."""

from __future__ import annotations

import copy

import pytest

from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection
from makima.domain.supervision.pod_manifest import supervisor_pod
from makima.errors import Denied
from makima.models.contract_spec import Workspace
from makima.models.supervisor import Supervisor
from tests.support.kube import MAY_CREATE_PODS, Body, Cast, Person, bind, make_role, refusal

TEMPLATE: Body = {
    "containers": [
        {
            "name": "agent",
            "image": "example.test/agent:1",
            "command": ["makima", "supervise"],
            "env": [
                {"name": "MAKIMA_INCARNATION", "value": "99"},
                {"name": "KEY", "secretKeyRef": {"name": "keys", "key": "model"}},
            ],
            "envFromConfigMaps": ["settings"],
            "resources": {"cpuRequest": "100m", "memoryLimit": "1Gi"},
            "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
        },
        {"name": "beside", "image": "example.test/beside:1"},
    ],
    "initContainers": [{"name": "before", "image": "example.test/before:1"}],
    "volumes": [{"name": "scratch", "emptyDirSize": "1Gi"}, {"name": "own", "configMap": "own"}],
    "nodeSelector": {"kind": "agents"},
    "tolerations": [{"key": "agents", "effect": "NoSchedule"}, {"key": "own", "value": "yes"}],
    "runAsUser": 1000,
    "fsGroup": 1000,
}


def a_pod(namespace: str) -> Body:
    uid = "11111111-1111-4111-8111-111111111111"
    body = {"metadata": {"name": "work", "namespace": namespace, "uid": uid}, "spec": {"template": TEMPLATE}}
    return supervisor_pod(Supervisor.model_validate(body), 3, "http://makima-api.test", Workspace())


async def restricted(admin: Connection, namespace: str) -> str:
    """The namespace takes restricted pods only; returns the path of its pods."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    path = f"/api/v1/namespaces/{namespace}"
    await admin.request("PATCH", path, body={"metadata": {"labels": labels}}, content_type=MERGE_PATCH)
    await admin.request("POST", f"{path}/serviceaccounts", body={"metadata": {"name": "default"}})
    return f"{path}/pods"


@pytest.fixture
async def pod_maker(admin: Connection, people: Cast) -> Person:
    """An editor who may create and change pods."""
    rules = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "patch", "update"]}
    await make_role(admin, people.namespace, "pod-maker", rules)
    await bind(admin, people.editor, "pod-maker", MAY_CREATE_PODS, kind="Role")
    return people.editor


async def test_the_pod_of_a_life_passes_the_restricted_level(admin: Connection, people: Cast) -> None:
    path = await restricted(admin, people.namespace)
    stored = await people.operator.connection.request("POST", path, body=a_pod(people.namespace))
    assert stored["metadata"]["name"] == "work-3"
    agent, beside = stored["spec"]["containers"]
    environment = {item["name"]: item.get("value") for item in agent["env"]}
    assert environment["MAKIMA_INCARNATION"] == "3"
    assert environment["MAKIMA_CONTRACT"] == f"{people.namespace}/work"
    assert {item["mountPath"] for item in agent["volumeMounts"]} >= {
        "/tmp",
        "/workspace",
        "/var/run/secrets/makima.dev",
    }
    assert [item["mountPath"] for item in beside["volumeMounts"]] == ["/workspace"], "only the supervisor has the token"
    assert "env" not in beside
    source = next(item for item in stored["spec"]["volumes"] if item["name"] == "makima-token")["projected"]["sources"]
    assert source == [{"serviceAccountToken": {"audience": "makima.dev", "expirationSeconds": 600, "path": "token"}}]
    assert stored["spec"]["restartPolicy"] == "Never"
    assert stored["spec"]["automountServiceAccountToken"] is False


async def test_nobody_else_makes_a_pod_of_a_supervisor(admin: Connection, people: Cast, pod_maker: Person) -> None:
    path = await restricted(admin, people.namespace)
    forged = a_pod(people.namespace)
    error = await refusal(pod_maker.connection.request("POST", path, body=forged))
    assert error.code == "UNAUTHORIZED", error
    ordinary = copy.deepcopy(forged)
    del ordinary["metadata"]["labels"]["makima.dev/role"]
    await pod_maker.connection.request("POST", path, body=ordinary)
    late = {"metadata": {"labels": {"makima.dev/role": "supervisor"}}}
    error = await refusal(pod_maker.connection.request("PATCH", f"{path}/work-3", body=late, content_type=MERGE_PATCH))
    assert error.code == "UNAUTHORIZED", error


async def test_nobody_else_gives_a_pod_of_a_supervisor_to_another_life(
    admin: Connection, people: Cast, pod_maker: Person
) -> None:
    path = f"{await restricted(admin, people.namespace)}/work-3"
    await people.operator.connection.request("POST", path.rpartition("/")[0], body=a_pod(people.namespace))
    patches: tuple[Body, ...] = (
        {"metadata": {"labels": {"makima.dev/incarnation": "4"}}},
        {"metadata": {"labels": {"makima.dev/role": None}}},
        {"metadata": {"ownerReferences": []}},
    )
    for patch in patches:
        error = await refusal(pod_maker.connection.request("PATCH", path, body=patch, content_type=MERGE_PATCH))
        assert error.code == "UNAUTHORIZED", patch
    note = {"metadata": {"labels": {"note": "seen"}}}
    await pod_maker.connection.request("PATCH", path, body=note, content_type=MERGE_PATCH)


async def test_the_operator_reads_no_secrets_and_enters_no_pod(people: Cast) -> None:
    for right in (("get", "", "secrets"), ("list", "", "secrets"), ("create", "", "pods/exec"), ("patch", "", "pods")):
        assert not await people.operator.may(right), right


async def test_an_incarnation_never_falls_and_is_never_taken_away(people: Cast) -> None:
    body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Supervisor", "metadata": {"name": "work"}, "spec": {}}
    stored = await people.operator.create({**body, "metadata": {"name": "work", "namespace": people.namespace}})
    stored = await people.operator.put_status({**stored, "status": {"incarnation": 4}})
    for status in ({"incarnation": 3}, {}, {"state": "Working"}):
        with pytest.raises(Denied, match="incarnation"):
            await people.operator.put_status({**stored, "status": status})
    await people.operator.put_status({**stored, "status": {"incarnation": 5, "podUid": stored["metadata"]["uid"]}})


async def test_a_timeout_within_a_period_is_refused(people: Cast) -> None:
    spec = {"heartbeatPeriodSeconds": 30, "heartbeatTimeoutSeconds": 30}
    body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Supervisor", "metadata": {"name": "work"}, "spec": spec}
    error = await refusal(people.supervisor.create(body))
    assert error.code == "VALIDATION_FAILED", error
