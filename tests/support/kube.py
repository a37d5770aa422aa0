"""People on a real API server: each with a connection of their own and the roles that were bound to them.

Nobody here is an administrator. Where a role is bound, `Person.may` is waited for: the API server notices a binding a
moment later.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from makima.adapters.kubernetes.connection import APPLY_PATCH, MERGE_PATCH, Connection
from makima.adapters.kubernetes.contracts import path_of
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.errors import Denied
from makima.models.contract import Contract
from makima.sandbox import Sandbox
from tests.support.connected import connected
from tests.support.operator_process import OPERATOR_USER
from tests.support.own_process import MAKIMA_GROUPS
from tests.support.polling import pause

Body = dict[str, Any]
Right = tuple[str, str, str]
"""(verb, API group, resource), the resource perhaps with a subresource: "contracts/status"."""

RBAC = "/apis/rbac.authorization.k8s.io/v1"
JSON_PATCH = "application/json-patch+json"
GROUP = "makima.dev"
MAY_VIEW: Right = ("list", GROUP, "contracts")
MAY_EDIT: Right = ("update", GROUP, "contracts")
MAY_CONFIRM: Right = ("confirm", GROUP, "contracts")
MAY_WRITE_STATUS: Right = ("update", GROUP, "contracts/status")
MAY_CREATE_PODS: Right = ("create", "", "pods")

POD: Body = {"containers": [{"name": "agent", "image": "example.com/agent:1"}]}
"""The smallest template of a pod."""


async def until(what: str, holds: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait for a condition of the API server, which notices roles and policies a moment after it stored them."""
    began = asyncio.get_running_loop().time()
    while not await holds():
        waited = asyncio.get_running_loop().time() - began
        assert waited < seconds, f"waited {seconds} s for {what}"
        await asyncio.sleep(pause(waited))


@dataclass(frozen=True)
class Person:
    """Somebody with a kubeconfig, at work in one namespace."""

    name: str
    user: str
    connection: Connection
    namespace: str

    def __str__(self) -> str:
        return self.name

    def path(self, plural: str, name: str | None = None, subresource: str | None = None) -> str:
        return path_of(plural, self.namespace, name, subresource)

    async def may(self, right: Right, name: str | None = None) -> bool:
        """What the API server answers to `kubectl auth can-i`."""
        verb, group, resource = right
        plural, _, subresource = resource.partition("/")
        asked = {"namespace": self.namespace, "verb": verb, "group": group, "resource": plural}
        asked |= {"subresource": subresource} if subresource else {}
        asked |= {"name": name} if name else {}
        body = {"spec": {"resourceAttributes": asked}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool((await self.connection.request("POST", path, body=body))["status"]["allowed"])

    async def create(self, body: Body, **query: str) -> Body:
        return await self.connection.request("POST", self.path(plural_of(body)), body=body, query=query)

    async def get(self, name: str = "work", plural: str = "contracts") -> Body:
        return await self.connection.request("GET", self.path(plural, name))

    async def replace(self, body: Body, subresource: str | None = None, **query: str) -> Body:
        path = self.path(plural_of(body), body["metadata"]["name"], subresource)
        return await self.connection.request("PUT", path, body=body, query=query)

    async def put_status(self, body: Body) -> Body:
        return await self.replace(body, "status")

    async def patch(
        self, patch: Mapping[str, Any], name: str = "work", plural: str = "contracts", subresource: str | None = None
    ) -> Body:
        """A merge patch: `kubectl patch --type=merge`."""
        path = self.path(plural, name, subresource)
        return await self.connection.request("PATCH", path, body=patch, content_type=MERGE_PATCH)

    async def patch_spec(self, name: str = "work", **fields: Any) -> Body:
        return await self.patch({"spec": fields}, name)

    async def json_patch(
        self, operations: Sequence[Mapping[str, Any]], name: str = "work", subresource: str | None = None
    ) -> Body:
        path = self.path("contracts", name, subresource)
        return await self.connection.request("PATCH", path, body=operations, content_type=JSON_PATCH)

    async def apply(self, body: Body, manager: str | None = None, *, force: bool = False, **query: str) -> Body:
        """`kubectl apply --server-side`."""
        query |= {"fieldManager": manager or self.name, "force": str(force).lower()}
        path = self.path(plural_of(body), body["metadata"]["name"])
        return await self.connection.request("PATCH", path, body=body, query=query, content_type=APPLY_PATCH)


def plural_of(body: Body) -> str:
    return f"{body['kind'].lower()}s"


@asynccontextmanager
async def person(
    sandbox: Sandbox, namespace: str, user: str, groups: tuple[str, ...] = (), name: str | None = None
) -> AsyncIterator[Person]:
    """Somebody with a connection; what they may do is what was bound to them."""
    file = await asyncio.to_thread(sandbox.cluster.kubeconfig_for, user, groups)
    async with await connected(file) as connection:
        yield Person(name or user.rpartition(":")[2], user, connection, namespace)


def account(namespace: str, name: str) -> tuple[str, tuple[str, ...]]:
    """User and groups of a service account."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return f"system:serviceaccount:{namespace}:{name}", groups


async def bind(admin: Connection, who: Person, role: str, *expected: Right, kind: str = "ClusterRole") -> None:
    """Give somebody a role in their namespace, and wait until the API server goes by it."""
    await make_binding(admin, f"{who.name}-{role}".replace(":", "-"), role, who, kind=kind)
    for right in expected:
        await until(f"{who} may {right}", lambda wanted=right: who.may(wanted))


async def make_binding(admin: Connection, name: str, role: str, *people: Person, kind: str = "ClusterRole") -> None:
    """A RoleBinding in the people's namespace."""
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": kind, "name": role},
        "subjects": [{"kind": "User", "apiGroup": group, "name": who.user} for who in people],
    }
    await admin.request("POST", f"{RBAC}/namespaces/{people[0].namespace}/rolebindings", body=binding)


async def make_role(admin: Connection, namespace: str, name: str, *rules: Body) -> None:
    """A Role of the test's own, for what makima gives nobody."""
    body = {"metadata": {"name": name}, "rules": list(rules)}
    await admin.request("POST", f"{RBAC}/namespaces/{namespace}/roles", body=body)


def rule(verb: str, resource: str, *names: str) -> Body:
    named = {"resourceNames": list(names)} if names else {}
    return {"apiGroups": [""], "resources": [resource], "verbs": [verb], **named}


async def give(admin: Connection, who: Person, verb: str, resource: str, *names: str) -> None:
    """A right of the core API group, on all objects or on those with these names."""
    role = "-".join(("may", verb, resource, *names, who.name))
    await make_role(admin, who.namespace, role, rule(verb, resource, *names))
    await bind(admin, who, role, kind="Role")
    for name in names or (None,):
        await until(f"{who} may {verb} {resource} {name}", lambda name=name: who.may((verb, "", resource), name))


@dataclass(frozen=True)
class Cast:
    """Who takes part: three people and accounts who are not administrators, and the operator's own account.

    The three may also write `contracts/status`, which makima gives nobody but the operator: so that what stops them is
    the rule in question, not RBAC.
    """

    admin: Connection
    namespace: str
    editor: Person
    confirmer: Person
    supervisor: Person
    operator: Person

    @property
    def three(self) -> tuple[Person, ...]:
        """Who may write spec and status."""
        return (self.editor, self.confirmer, self.supervisor)

    @property
    def everyone(self) -> tuple[Person, ...]:
        """Who may write a status."""
        return (*self.three, self.operator)

    async def accepted(self, name: str = "work", **spec: Any) -> Body:
        """A contract that the operator has accepted: Created, first phase, version 1."""
        await self.editor.create(contract(name, **spec))
        return await self.accept(name)

    async def accept(self, name: str = "work") -> Body:
        """Play the operator's first look at a contract, as the operator's account."""
        body = await self.operator.get(name)
        decision = decide(Contract.from_object(body), Surroundings(settings=Settings(), now=datetime.now(UTC)))
        assert decision.status is not None
        status = decision.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        return await self.operator.put_status({**body, "status": status})

    async def moved(self, *steps: Mapping[str, Any], name: str = "work") -> Body:
        """Play the operator's further writes, each a change of state, phase or deliverables."""
        body = await self.operator.get(name)
        for step in steps:
            body = await self.operator.put_status(changed(body, **step))
        return body


STATUS_WRITER = {"apiGroups": [GROUP], "resources": ["contracts/status"], "verbs": ["get", "update", "patch"]}


@asynccontextmanager
async def cast(sandbox: Sandbox, admin: Connection, namespace: str) -> AsyncIterator[Cast]:
    """The people of one test, in its namespace."""
    async with (
        person(sandbox, namespace, "ed", ("developers",), "editor") as editor,
        person(sandbox, namespace, "connie", ("developers", "leads"), "confirmer") as confirmer,
        person(sandbox, namespace, *account(namespace, "agent"), "supervisor") as supervisor,
        person(sandbox, namespace, OPERATOR_USER, MAKIMA_GROUPS, "operator") as operator,
    ):
        them = Cast(admin, namespace, editor, confirmer, supervisor, operator)
        await make_role(admin, namespace, "status-writer", STATUS_WRITER)
        await make_binding(admin, "edit", "makima-edit", editor, confirmer)
        await make_binding(admin, "confirm", "makima-confirm", confirmer)
        await make_binding(admin, "supervise", "makima-supervise", supervisor)
        # The operator only replaces; it gets patch here, too, so that what refuses it is never RBAC.
        await make_binding(admin, "status", "status-writer", *them.everyone, kind="Role")
        # The API server notices bindings in the order in which they were made: who has the last has all of them.
        await until("the last binding counts", lambda: supervisor.may(MAY_WRITE_STATUS))
        yield them


# Objects


def an_object(kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Body:
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": dict(spec),
    }


def contract(name: str = "work", **spec: Any) -> Body:
    """A contract; without anything said it is `simple`: plan (plan-document), execute (pull-request)."""
    return an_object("Contract", name, spec)


def changed(body: Body, **changes: Any) -> Body:
    """The contract with a status that says something new, version and outbox included; None takes a field away."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    old = body["status"]
    status = {**copy.deepcopy(old), "version": old["version"] + 1, "stateChangedTime": now, **changes}
    status = {key: value for key, value in status.items() if value is not None}
    entry = {
        "version": status.get("version"),
        "time": now,
        "reason": "Test",
        "fromState": old["state"],
        "toState": status.get("state"),
        "fromPhase": old["phase"],
        "toPhase": status.get("phase"),
    }
    transitions = old.get("transitions", []) if "transitions" not in changes else changes["transitions"] or []
    if status.get("version") != old["version"] and "transitions" not in changes:
        status["transitions"] = [*transitions, {key: value for key, value in entry.items() if value is not None}]
    return {**body, "status": status}


def completed(phase: str, identifier: str, **fields: Any) -> Body:
    """An entry of status.deliverables."""
    return {"phase": phase, "id": identifier, "completedTime": "2026-01-01T12:00:00Z", **fields}


def without_bookkeeping(body: Body) -> Body:
    """What an object says, without who wrote it when."""
    kept = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": kept}


# Refusals


@dataclass(frozen=True)
class Attempt:
    """A write that has to be refused, by whoever tries it."""

    what: str
    write: Callable[[Person, Body], Awaitable[Any]]
    code: str
    says: tuple[str, ...] = ()

    def saying(self, *texts: str) -> Attempt:
        return replace(self, says=(*self.says, *texts))


async def refusal(write: Awaitable[Any]) -> Denied:
    """The refusal that a write gets.

    Raises:
        AssertionError: the write was let in.
    """
    try:
        await write
    except Denied as error:
        return error
    raise AssertionError("let in")


def _check(error: Denied, code: str, says: Sequence[str], what: str) -> None:
    missing = [text for text in says if text not in str(error)]
    assert (error.code, missing) == (code, []), f"{what}: {error}"


async def assert_refused(
    attempt: Attempt, people: Sequence[Person], name: str = "work", plural: str = "contracts"
) -> None:
    """Everybody who tries is refused with the code and the texts, and the object stays as it is, to the byte."""
    for who in people:
        what = f"{attempt.what}, by {who}"
        before = await who.get(name, plural)
        try:
            error = await refusal(attempt.write(who, copy.deepcopy(before)))
        except AssertionError:
            raise AssertionError(f"{what}: let in") from None
        _check(error, attempt.code, attempt.says, what)
        assert await who.get(name, plural) == before, f"{what}: refused, and yet something changed"


async def assert_create_refused(body: Body, code: str, people: Sequence[Person], *says: str) -> None:
    """Nobody can create the object, and none is there afterwards."""
    name, plural = body["metadata"]["name"], plural_of(body)
    for who in people:
        what = f"creating {body['spec']}, by {who}"
        try:
            error = await refusal(who.create(body))
        except AssertionError:
            raise AssertionError(f"{what}: let in") from None
        _check(error, code, says, what)
        listed = await who.connection.request("GET", who.path(plural))
        assert name not in [item["metadata"]["name"] for item in listed["items"]]
