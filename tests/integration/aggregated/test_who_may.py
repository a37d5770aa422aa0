"""Four people, each by certificate and by token: the API server stops whom it has to, and so does the API service."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.cli.contracts.exits import Exit
from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest, make_account, token_of
from tests.support.carried_world import CarriedWorld
from tests.support.command_line import Stage
from tests.support.connected import connected
from tests.support.kube import RBAC, until
from tests.support.kubeconfig_users import KubectlUser, by_certificate, by_token

pytestmark = pytest.mark.xdist_group("aggregated")

ROOT = "/apis/monitor.makima.dev/v1alpha1"
SELF_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
API_SERVER = "https://kubernetes.default.svc"
ROLES = {
    "editor": ("makima-edit",),
    "confirmer": ("makima-edit", "makima-confirm"),
    "reader": ("makima-view",),
    "stranger": (),
}
CREDENTIALS = ("certificate", "token")


@dataclass(frozen=True)
class People:
    """Everybody, by role and credential."""

    world: CarriedWorld
    found: dict[tuple[str, str], KubectlUser]

    def __getitem__(self, key: tuple[str, str]) -> KubectlUser:
        return self.found[key]

    @property
    def root(self) -> str:
        return f"{ROOT}/namespaces/{self.world.namespace}"


async def bind(admin: Connection, namespace: str, subject: dict[str, Any], role: str) -> None:
    binding = {
        "metadata": {"name": f"b-{uuid4().hex[:12]}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }
    await admin.request("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", body=binding)


@pytest.fixture
async def people(api: ApiUnderTest, world: CarriedWorld, installed_cluster: Sandbox, tmp_path: Path) -> People:
    """The four, and a stranger who may edit in a namespace of their own; the contract `work` waits to be confirmed."""
    found: dict[tuple[str, str], KubectlUser] = {}
    elsewhere = f"else-{uuid4().hex[:12]}"
    await world.admin.request("POST", "/api/v1/namespaces", body={"metadata": {"name": elsewhere}})
    for name, roles in ROLES.items():
        user = f"{name}-{uuid4().hex[:8]}"
        found[name, "certificate"] = await asyncio.to_thread(
            by_certificate, installed_cluster, user, ("system:authenticated",)
        )
        home = world.namespace if roles else elsewhere
        await make_account(world.admin, home, name)
        token = await token_of(world.admin, home, name, audience=API_SERVER)
        found[name, "token"] = by_token(installed_cluster, tmp_path, name, token)
        person = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}
        account = {"kind": "ServiceAccount", "namespace": home, "name": name}
        for subject in (person, account):
            for role in roles or ("makima-edit",):
                await bind(world.admin, home, subject, role)
    uid = await world.contract("work", supervisor={}, type="specification", phaseGuard=True)
    await world.life("work", uid, None)
    people = People(world, found)
    for credential in CREDENTIALS:
        for name in ("editor", "confirmer", "reader"):
            await _until_bound(people[name, credential], world.namespace)
    return people


async def _until_bound(person: KubectlUser, namespace: str) -> None:
    asked = {"namespace": namespace, "verb": "get", "group": "monitor.makima.dev", "resource": "contracts"}
    body = {"spec": {"resourceAttributes": asked}}
    async with await connected(person.kubeconfig) as connection:

        async def may() -> bool:
            return bool((await connection.request("POST", SELF_REVIEW, body=body))["status"]["allowed"])

        await until(f"{person.name} may", may, 120)


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_whoever_may_read_contracts_reads_and_nobody_else(people: People, credential: str) -> None:
    path = f"{people.root}/contracts/work/supervisor/status"
    for name in ("editor", "confirmer", "reader"):
        found = await asyncio.to_thread(people[name, credential].raw, path)
        assert found["task_id"], name
        for overview in ("contracts", "dashboard"):
            await asyncio.to_thread(people[name, credential].raw, f"{people.root}/{overview}")
    for hidden in (path, f"{people.root}/contracts", f"{people.root}/dashboard"):
        said = await asyncio.to_thread(people["stranger", credential].refused, "get", "--raw", hidden)
        assert "Error from server (Forbidden)" in said
        assert "resource" in said and "cannot" in said  # the API server's own words: it was not forwarded


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_nobody_reads_in_all_namespaces_by_a_right_in_one(people: People, credential: str) -> None:
    for name in ROLES:
        said = await asyncio.to_thread(people[name, credential].refused, "get", "--raw", f"{ROOT}/contracts")
        assert "Error from server (Forbidden)" in said, name


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_a_right_to_the_aggregated_api_alone_shows_nothing(
    people: People, installed_cluster: Sandbox, credential: str
) -> None:
    """Forwarded by the API server, and stopped by the API service's own question about makima.dev."""
    world, person = people.world, people["stranger", credential]
    rules = [{"apiGroups": ["monitor.makima.dev"], "resources": ["*"], "verbs": ["*"]}]
    name = f"only-forwarded-{uuid4().hex[:8]}"
    await world.admin.request("POST", f"{RBAC}/clusterroles", body={"metadata": {"name": name}, "rules": rules})
    who = await asyncio.to_thread(person.run, "auth", "whoami", "-o", "json")
    user = json.loads(who.stdout)["status"]["userInfo"]["username"]
    await bind(
        world.admin, world.namespace, {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}, name
    )
    await _until_bound(person, world.namespace)
    said = await asyncio.to_thread(person.refused, "get", "--raw", f"{people.root}/contracts/work/supervisor/status")
    assert "CONTRACT_NOT_FOUND" in said or "FORBIDDEN" in said, said


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_a_change_through_the_aggregated_api_is_answered_with_the_command_that_works(
    people: People, credential: str, tmp_path: Path
) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"status": "paused"}')
    before = await people.world.get("work")
    create = ("create", "--raw", f"{people.root}/contracts/work/status", "-f", str(body))
    for name in ("editor", "confirmer", "reader"):
        said = await asyncio.to_thread(people[name, credential].refused, *create)
        assert "FORBIDDEN" in said, said
        assert f"kubectl -n {people.world.namespace} patch contract work" in said, said
    said = await asyncio.to_thread(people["stranger", credential].refused, *create)
    assert "cannot create resource" in said, said
    assert (await people.world.get("work"))["spec"] == before["spec"]


COMMANDS = {
    "show": "show NAME",
    "history": "history NAME",
    "deliver": "complete-deliverable NAME research-notes --no-wait --dry-run",
    "confirm": "confirm NAME --force --no-wait --dry-run",
}
"""What goes to the API server, to makima's API, and to the API server as a change and as a confirmation."""

ALLOWED = {
    "editor": {"show", "history", "deliver"},
    "confirmer": {"show", "history", "deliver", "confirm"},
    "reader": {"show", "history"},
    "stranger": set[str](),
}


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_the_command_line_may_what_its_caller_may(
    people: People, installed_cluster: Sandbox, credential: str
) -> None:
    kubeconfigs = {role: people[role, credential].kubeconfig for role in ROLES}
    stage = Stage(installed_cluster, people.world.namespace, kubeconfigs=kubeconfigs)
    for role, (name, line) in itertools.product(ROLES, COMMANDS.items()):
        words = line.replace("NAME", f"{people.world.namespace}/work").split()
        done = await asyncio.to_thread(stage.makima, role, *words)
        assert done.code == (Exit.DONE if name in ALLOWED[role] else Exit.FORBIDDEN), (role, name, done)
        assert "Traceback" not in done.err
    assert "advance" not in (await people.world.get("work"))["spec"]


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_moves_go_to_the_api_server_as_the_person_who_makes_them(people: People, credential: str) -> None:
    """What CLI and kubectl do with the same kubeconfig: the editor may not confirm, the confirmer may."""
    status = await people.world.status("work")
    advance = {
        "to": status["phases"][1]["name"],
        "expectedVersion": status["version"],
        "confirmed": True,
        "force": True,
    }
    patch = ("patch", "contract", "work", "-n", people.world.namespace, "--type=merge", "-p")
    wish = json.dumps({"spec": {"advance": advance}})
    editor = await asyncio.to_thread(people["editor", credential].refused, *patch, wish)
    assert "confirm" in editor, editor
    for name in ("reader", "stranger"):
        said = await asyncio.to_thread(people[name, credential].refused, *patch, wish)
        assert "Forbidden" in said, said
    done = await asyncio.to_thread(people["confirmer", credential].run, *patch, wish)
    assert done.returncode == 0, done.stderr
    assert (await people.world.get("work"))["spec"]["advance"]["confirmed"] is True
