"""What nobody who may edit contracts gets by a template in one, whether or not they may create pods.

Whoever may not create pods is refused whatever the template says. Whoever may is refused, or gets less than was asked
for: what reaches a pod is compared with what the Pod Security level `restricted` lets through, on the real API server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection
from makima.domain.supervision.pod_manifest import supervisor_pod
from makima.errors import ClusterError, Denied
from makima.models.supervisor import Supervisor
from tests.support.kube import (
    POD,
    Attempt,
    Body,
    Cast,
    Person,
    an_object,
    assert_refused,
    contract,
)

CONTAINER: Body = POD["containers"][0]
STRICT = {"fieldValidation": "Strict"}


def container(**more: Any) -> Body:
    return {"containers": [{**CONTAINER, **more}]}


def volume(**kind: Any) -> Body:
    return {**POD, "volumes": [{"name": "data", **kind}]}


ASKED: Mapping[str, Body] = {
    "a path of the host": volume(hostPath={"path": "/", "type": "Directory"}),
    "a path of the host beside what is allowed": volume(emptyDirSize="1Mi", hostPath={"path": "/"}),
    "a secret of another namespace by its name": volume(secret="kube-system/admin"),
    "a secret of another namespace by a way up": volume(secret="../kube-system/admin"),
    "a secret of another namespace by a field": volume(secret={"secretName": "admin", "namespace": "kube-system"}),
    "a variable from a secret of another namespace": container(
        env=[{"name": "A", "secretKeyRef": {"name": "admin", "key": "a", "namespace": "kube-system"}}]
    ),
    "a variable from a secret elsewhere by its name": container(
        env=[{"name": "A", "secretKeyRef": {"name": "kube-system/admin", "key": "a"}}]
    ),
    "a token for the API server of its own making": volume(
        projected={"sources": [{"serviceAccountToken": {"path": "t"}}]}
    ),
    "the account of another namespace": {**POD, "serviceAccountName": "kube-system:admin"},
    "the account of another namespace by its user": {
        **POD,
        "serviceAccountName": "system:serviceaccount:kube-system:admin",
    },
    "the network of the host": {**POD, "hostNetwork": True},
    "the processes of the host": {**POD, "hostPID": True, "shareProcessNamespace": True},
    "a port of the host": container(ports=[{"containerPort": 1, "hostPort": 1}]),
    "privileges": container(securityContext={"privileged": True}),
    "a capability": container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}),
    "root": {**POD, "runAsUser": 0},
    "a node of its choice": {**POD, "nodeName": "control-plane"},
    "another namespace": {**POD, "namespace": "kube-system"},
    "a container put in later": {**POD, "ephemeralContainers": [CONTAINER]},
}
KINDS = {"configMap", "secret", "emptyDir", "persistentVolumeClaim", "projected"}
OWN = {"makima-token"}
HARMFUL = ("hostPath", "hostNetwork", "hostPID", "hostIPC", "hostPort", "privileged", "nodeName", "ephemeralContainers")


@pytest.mark.parametrize("what", ASKED)
async def test_it_is_refused_or_left_out_for_who_may_create_pods(admin: Connection, runner: Person, what: str) -> None:
    template = ASKED[what]
    with pytest.raises(ClusterError):
        await runner.create(contract(supervisor={"template": template}), **STRICT)
    try:
        await runner.create(an_object("Supervisor", "work", {"template": template}))
    except (Denied, ClusterError):
        return  # kubectl --validate=false gets no further either
    await assert_harmless(admin, runner.namespace, await runner.get("work", "supervisors"))


@pytest.mark.parametrize("what", ASKED)
async def test_it_is_refused_whatever_it_says_for_who_may_not(people: Cast, what: str) -> None:
    await people.accepted()
    for part in (
        {"supervisor": {"template": ASKED[what]}},
        {"taskTemplates": [{"name": "a", "template": ASKED[what]}]},
    ):

        async def write(who: Person, body: Body, part: Body = part) -> None:
            await who.patch_spec(**part)

        before = await people.editor.get()
        for who in people.three:
            with pytest.raises(ClusterError):
                await write(who, before)
        assert await people.editor.get() == before


async def assert_harmless(admin: Connection, namespace: str, stored: Body) -> None:
    """The pod that the operator would make of it is one of `restricted`, in this namespace, with volumes of it."""
    made = supervisor_pod(Supervisor.model_validate(stored), 1, "http://api", None)
    assert made["metadata"]["namespace"] == namespace
    found = set(keys(made))
    assert not found & set(HARMFUL)
    for one in made["spec"].get("volumes", ()):
        (kind,) = set(one) - {"name"}
        assert kind in KINDS
        assert kind != "projected" or one["name"] in OWN
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    await admin.request("PATCH", f"/api/v1/namespaces/{namespace}", body=label, content_type=MERGE_PATCH)
    account = {"metadata": {"name": "default"}}
    await admin.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", body=account)
    path = f"/api/v1/namespaces/{namespace}/pods"
    taken = await admin.request("POST", path, body=without_owner(made), query={"dryRun": "All"})
    assert "namespace" not in set(keys(taken["spec"]))


def without_owner(made: Body) -> Body:
    """The pod as an administrator makes it: makima's label is the operator's alone (policy operator-pods)."""
    return {**made, "metadata": {"name": made["metadata"]["name"]}}


def keys(part: Any) -> Iterator[str]:
    """Every name of a field, however deep."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield name
            yield from keys(value)
    elif isinstance(part, list):
        for item in part:
            yield from keys(item)


async def test_another_persons_template_is_not_pointed_at_another_secret(people: Cast, runner: Person) -> None:
    template = {**volume(secret="own"), **container(env=[{"name": "A", "secretKeyRef": {"name": "own", "key": "a"}}])}
    await runner.create(contract(supervisor={"template": template}))
    for path, value in (
        ("/spec/supervisor/template/volumes/0/secret", "admin"),
        ("/spec/supervisor/template/containers/0/env/0/secretKeyRef/name", "admin"),
        ("/spec/supervisor/template/containers/0/command", ["sh", "-c", "env"]),
        ("/spec/supervisor/template/automountServiceAccountToken", True),
        ("/spec/supervisor/template/serviceAccountName", "admin"),
    ):
        operation = {"op": "add", "path": path, "value": value}

        async def write(who: Person, body: Body, operation: Body = operation) -> None:
            await who.json_patch([operation])

        attempt = Attempt(path, write, "UNAUTHORIZED", ("right to create pods",))
        await assert_refused(attempt, people.three)


async def test_a_supervisor_of_ones_own_in_place_of_the_contracts_gets_nothing_either(people: Cast) -> None:
    """The Supervisor is a resource of its own: the way around the Contract is closed in the same way."""
    for what, template in ASKED.items():
        with pytest.raises(ClusterError):
            await people.supervisor.create(an_object("Supervisor", "work", {"template": template}))
        listed = await people.supervisor.connection.request("GET", people.supervisor.path("supervisors"))
        assert listed["items"] == [], what
