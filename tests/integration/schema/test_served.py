"""What the API server makes of the CRDs: structural, established, and of use to whoever has kubectl alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox
from makima.schema import render_crds
from tests.support.kube import Cast, an_object, completed, contract

CRDS = {crd["metadata"]["name"]: crd for crd in render_crds()}
APIEXTENSIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.mark.parametrize("name", CRDS)
async def test_a_kind_is_established_and_structural(installed_cluster: Sandbox, admin: Connection, name: str) -> None:
    stored = await admin.request("GET", f"{APIEXTENSIONS}/{name}")
    conditions = {item["type"]: item["status"] for item in stored["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions["NamesAccepted"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"
    assert stored["status"]["storedVersions"] == ["v1alpha1"]


@pytest.mark.parametrize("name", CRDS)
async def test_the_api_server_leaves_the_schema_as_it_is(
    installed_cluster: Sandbox, admin: Connection, name: str
) -> None:
    """What it dropped or rewrote would be drift between what is shipped and what holds."""
    stored = await admin.request("GET", f"{APIEXTENSIONS}/{name}")
    ours, theirs = CRDS[name]["spec"]["versions"][0], stored["spec"]["versions"][0]
    assert theirs["schema"] == ours["schema"]
    assert theirs["additionalPrinterColumns"] == ours["additionalPrinterColumns"]
    assert theirs.get("selectableFields") == ours.get("selectableFields")


async def test_policies_compile_without_a_warning(installed_cluster: Sandbox, admin: Connection) -> None:
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    found = {item["metadata"]["name"]: item for item in (await admin.request("GET", path))["items"]}
    names = {"makima-contract-spec", "makima-contract-status", "makima-supervisor-spec"}
    assert names <= set(found)
    for name in names:
        assert not found[name].get("status", {}).get("typeChecking", {}).get("expressionWarnings"), name


async def kubectl(sandbox: Sandbox, namespace: str, *arguments: str) -> str:
    """What kubectl prints."""
    program = str(sandbox.cluster.programs / "kubectl")
    process = await asyncio.create_subprocess_exec(
        program,
        f"--kubeconfig={sandbox.cluster.kubeconfig}",
        f"--namespace={namespace}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    return printed


@pytest.mark.parametrize("names", [("contracts", "ct"), ("contracttypes", "ctype"), ("supervisors", "sup")])
async def test_short_names_and_category(installed_cluster: Sandbox, people: Cast, names: Sequence[str]) -> None:
    kinds = {"contracts": "Contract", "contracttypes": "ContractType", "supervisors": "Supervisor"}
    spec = {"phases": [{"name": "plan"}]} if names[0] == "contracttypes" else {}
    body = an_object(kinds[names[0]], "sample", spec)
    await people.admin.request("POST", people.editor.path(names[0]), body=body)
    for name in (*names, kinds[names[0]].lower(), "makima"):
        assert f"{names[0].rstrip('s')}" in await kubectl(
            installed_cluster, people.namespace, "get", name, "--output=name"
        )


async def test_kubectl_get_shows_where_a_contract_stands(installed_cluster: Sandbox, people: Cast) -> None:
    await people.accepted(type="specification")
    await people.moved({"state": "Active"}, {"phase": "specify"})
    stored = await people.moved({"state": "WaitingForInput", "waitingFor": "an answer", "phaseProgress": "2/5"})
    assert stored["status"]["version"] == 4
    head, row = (await kubectl(installed_cluster, people.namespace, "get", "contracts")).splitlines()
    assert head.split("  ")[0] == "NAME"
    for column in ("TYPE", "STATE", "PHASE", "STEP", "WAITING FOR", "LAST ACTIVITY", "AGE"):
        assert column in head
    assert "RESTARTS" not in head
    for value in ("work", "specification", "WaitingForInput", "specify", "2/5", "an answer"):
        assert value in row
    wide = await kubectl(installed_cluster, people.namespace, "get", "contracts", "--output=wide")
    for column in ("SUPERVISOR", "RESTARTS", "MESSAGE"):
        assert column in wide.splitlines()[0]
    message = next(item["message"] for item in stored["status"]["conditions"] if item["type"] == "Ready")
    assert message in wide.splitlines()[1]


EXPLAINED = {
    "contract.spec.staleAfterSeconds": ("Seconds without activity", "Default: the operator's"),
    "contract.spec.advance.confirmed": ("needs the verb confirm", "Default: false"),
    "contract.spec.deliverables": ("server-side apply", "append-only"),
    "contract.status.state": ("Where the contract stands", "WaitingForInput"),
    "contracttype.spec.phases.gate.requiredTasks.policy": ("AllComplete", "Default: None"),
    "supervisor.spec.heartbeatTimeoutSeconds": ("Seconds without a heartbeat", "heartbeat_timeout_seconds (120)"),
    "supervisor.spec.template.containers.image": ("Image reference",),
}


@pytest.mark.parametrize("field", EXPLAINED)
async def test_kubectl_explain_says_what_a_field_is(installed_cluster: Sandbox, namespace: str, field: str) -> None:
    said = " ".join((await kubectl(installed_cluster, namespace, "explain", field)).split())
    for text in EXPLAINED[field]:
        assert text.lower() in said.lower()


async def test_lists_are_selected_by_state_phase_and_type(people: Cast) -> None:
    await people.accepted("one", type="execute")
    await people.accepted("two", type="simple")
    await people.accepted("three", type="simple")
    await people.moved({"state": "Active"}, {"phase": "execute"}, name="three")
    for selector, names in {
        "status.state=Created": {"one", "two"},
        "status.state=Active": {"three"},
        "status.phase=execute": {"one", "three"},
        "spec.type=simple": {"two", "three"},
        "spec.type=simple,status.phase=plan": {"two"},
        "status.state!=Created": {"three"},
        "metadata.name=one": {"one"},
    }.items():
        path = people.editor.path("contracts")
        found = await people.editor.connection.request("GET", path, query={"fieldSelector": selector})
        assert {item["metadata"]["name"] for item in found["items"]} == names, selector


async def test_supervisors_are_selected_by_state(people: Cast) -> None:
    for name, state in {"one": "Working", "two": "Idle"}.items():
        await people.supervisor.create(an_object("Supervisor", name, {}))
        path = people.supervisor.path("supervisors", name, "status")
        body = an_object("Supervisor", name, {}) | {"status": {"state": state}}
        body["metadata"]["resourceVersion"] = (await people.supervisor.get(name, "supervisors"))["metadata"][
            "resourceVersion"
        ]
        await people.admin.request("PUT", path, body=body)
    path = people.editor.path("supervisors")
    found = await people.editor.connection.request("GET", path, query={"fieldSelector": "status.state=Working"})
    assert [item["metadata"]["name"] for item in found["items"]] == ["one"]


async def test_deliverables_applied_by_two_managers_are_merged_by_key(people: Cast) -> None:
    await people.accepted(phases=[{"name": "plan", "deliverables": [{"id": "map"}, {"id": "budget"}]}])
    await people.editor.apply(contract(deliverables=[{"phase": "plan", "id": "map", "uri": "file:///map"}]))
    await people.supervisor.apply(contract(deliverables=[{"phase": "plan", "id": "budget"}]))
    stored = await people.editor.get()
    assert {item["id"] for item in stored["spec"]["deliverables"]} == {"map", "budget"}
    again = await people.editor.apply(contract(deliverables=[{"phase": "plan", "id": "map", "uri": "file:///new"}]))
    assert {item["id"]: item.get("uri") for item in again["spec"]["deliverables"]} == {
        "map": "file:///new",
        "budget": None,
    }
    owners = {item["manager"] for item in again["metadata"]["managedFields"] if item["operation"] == "Apply"}
    assert {"editor", "supervisor"} <= owners


async def test_answers_applied_by_two_managers_are_merged_by_key(people: Cast) -> None:
    await people.accepted()
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2)]
    await people.editor.apply(contract(answers=[{"questionId": ids[0], "answer": "yes"}]))
    await people.confirmer.apply(contract(answers=[{"questionId": ids[1], "answer": "no"}]))
    stored = await people.editor.get()
    assert {item["questionId"]: item["answer"] for item in stored["spec"]["answers"]} == dict(
        zip(ids, ("yes", "no"), strict=True)
    )


async def test_a_deliverable_in_the_status_keeps_its_key_too(people: Cast) -> None:
    await people.accepted()
    done = completed("plan", "plan-document", uri="https://example.com/plan", completedBy="ed")
    stored = await people.moved({"deliverables": [done]})
    assert stored["status"]["deliverables"] == [done]
