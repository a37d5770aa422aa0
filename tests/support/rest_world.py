"""REST in front of fakes: an API server in a dictionary with an operator that can be switched off, and people.

The fake API server takes what people write as the real one does: the RBAC verb is needed, JSON patches are applied, and
the operator then decides until nothing changes. What the admission policies refuse is tested on a real API server.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

from starlette.types import Message, Scope

from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.history import contract_row
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.errors import Conflict, Denied, NotFound
from makima.http.app import application
from makima.http.use_cases import ContractCalls, UseCases
from makima.models.contract import Contract
from makima.models.credential import Credential
from makima.models.enums import ContractState
from makima.models.history import ContractRow
from makima.ports import JsonObject, ObjectKey, Operations
from makima.services.access.authentication import Authentication
from makima.services.access.contract_lookup import ContractLookup
from makima.services.access.visibility import Visibility
from makima.services.reads.contract_export import ContractExports
from makima.services.reads.contract_lists import ContractLists
from makima.services.reads.contract_reads import ContractReads
from makima.services.reads.readiness import ReadinessChecks
from makima.services.wishes.contract_inputs import ContractInputs
from makima.services.wishes.contract_wishes import ContractWishes
from makima.services.wishes.hand import Hand
from makima.services.wishes.phase_moves import PhaseMoves
from makima.services.wishes.settling import Settling
from makima.services.wishes.supervisor_restart import SupervisorRestarts
from tests.support.fakes import FakeClock, FakeCluster, FakeValidators
from tests.support.people import FakeContractHistory, FakeContractLists, FakeReviews, rights

ROOT = "/api/v1/contracts"


class FakeApiServer:
    """`makima.ports.AsCaller` over a `FakeCluster`; a token is the name of its user."""

    def __init__(self, cluster: FakeCluster, reviews: FakeReviews, clock: FakeClock, settings: Settings) -> None:
        self.cluster, self.reviews, self.clock, self.settings = cluster, reviews, clock, settings
        self.operator = True
        self.refuse: Exception | None = None
        self.not_forwardable: set[str] = set()
        self.wrote: list[tuple[str, str, str]] = []

    def _may(self, credential: Credential, verb: str, namespace: str) -> str:
        user = credential.authorization().removeprefix("Bearer ")
        if user in self.not_forwardable:
            raise Denied("the API server does not know us: Unauthorized", status=401)
        if not {(user, verb, "contracts", place) for place in (namespace, "")} & self.reviews.granted:
            message = f'contracts.makima.dev is forbidden: User "{user}" cannot {verb} resource "contracts"'
            raise Denied(message, status=403)
        if self.refuse is not None:
            raise self.refuse
        return user

    async def create_contract(self, credential: Credential, body: JsonObject, manager: str) -> JsonObject:
        meta = body["metadata"]
        self._may(credential, "create", meta["namespace"])
        name = meta.get("name") or f"{meta['generateName']}{uuid4().hex[:5]}"
        if (meta["namespace"], name) in self.cluster.objects:
            raise Conflict(f'contracts.makima.dev "{name}" already exists')
        made = self.cluster.create(name, copy.deepcopy(body["spec"]), meta["namespace"])
        self.wrote.append(("create", name, manager))
        self.look(name, meta["namespace"])
        return made

    async def patch_contract(
        self, credential: Credential, namespace: str, name: str, operations: Operations, manager: str
    ) -> JsonObject:
        self._may(credential, "patch", namespace)
        stored = self.cluster.objects.get((namespace, name))
        if stored is None:
            raise NotFound("gone")
        changed = patched(stored, operations)
        changed["metadata"]["generation"] += changed["spec"] != stored["spec"]
        written = self.cluster._store(changed, "MODIFIED")
        self.wrote.append(("patch", name, manager))
        self.look(name, namespace)
        return written

    async def delete_contract(self, credential: Credential, key: ObjectKey, resource_version: str | None) -> None:
        self._may(credential, "delete", key.namespace)
        stored = self.cluster.objects[key.namespace, key.name]
        if resource_version not in (None, stored["metadata"]["resourceVersion"]):
            raise Conflict("changed")
        self.cluster.remove(key.name, key.namespace)
        self.wrote.append(("delete", key.name, ""))

    def look(self, name: str, namespace: str = "ns") -> None:
        """The operator looks until nothing changes."""
        while self.operator:
            body = self.cluster.objects[namespace, name]
            around = Surroundings(settings=self.settings, now=self.clock.now(), recorded_version=10**6)
            decision = decide(Contract.from_object(body), around)
            if decision.status is None:
                return
            status = decision.status.model_dump(mode="json", by_alias=True, exclude_none=True)
            changed = {**copy.deepcopy(body), "status": status}
            self.cluster._store(changed, "MODIFIED")


def patched(body: JsonObject, operations: Operations) -> JsonObject:
    """The object after a JSON patch of `add`, `remove` and `test`.

    Raises:
        Conflict: a test failed.
    """
    found = copy.deepcopy(body)
    for operation in operations:
        *way, last = operation["path"].removeprefix("/").split("/")
        place: Any = found
        for step in way:
            place = place.setdefault(step, [] if last == "-" else {}) if isinstance(place, dict) else place[int(step)]
        key: Any = int(last) if isinstance(place, list) and last != "-" else last
        match operation["op"]:
            case "test" if place[key] != operation["value"]:
                raise Conflict("the server rejected our request due to an error in our request")
            case "add" if last == "-":
                place.append(operation["value"])
            case "add":
                place[key] = operation["value"]
            case "remove":
                del place[key]
    return found


class RestWorld:
    """Namespace `ns`: Ann edits, Connie confirms too, Ray reads; Bob is at home in `elsewhere`."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings, self.clock = settings or Settings(), FakeClock()
        self.cluster, self.history, self.reviews = FakeCluster(), FakeContractHistory(), FakeReviews()
        self.validators, self.lists = FakeValidators(self.clock), FakeContractLists(self.history)
        self.server = FakeApiServer(self.cluster, self.reviews, self.clock, self.settings)
        for who, place in (("ann", "ns"), ("connie", "ns"), ("bob", "elsewhere")):
            self.reviews.grant(who, place, "get", "list", "create", "patch", "update", "delete")
        self.reviews.grant("connie", "ns", "confirm")
        self.reviews.grant("ray", "ns", "get", "list")
        self.use = self._use()
        self.app = application(self.use)

    def _use(self) -> UseCases:
        held = rights(self.reviews)
        lookup = ContractLookup(self.cluster, self.history, held.rbac)
        visibility = Visibility(held.rbac, self.history.namespaces)
        checks = ReadinessChecks(self.validators, self.settings, self.clock)
        hand, settling = Hand(self.server, lookup), Settling(self.cluster)
        reads = ContractReads(self.history, self.settings, self.clock)
        return UseCases(
            settings=self.settings,
            clock=self.clock,
            people=Authentication(self.reviews),
            rights=held,
            visibility=visibility,
            history=self.history,
            lookup=lookup,
            contracts=ContractCalls(
                lists=ContractLists(self.lists, visibility, self.settings, self.clock),
                reads=reads,
                exports=ContractExports(reads, None, self.clock),
                checks=checks,
                wishes=ContractWishes(hand, settling, lookup, checks),
                inputs=ContractInputs(hand, settling, checks),
                moves=PhaseMoves(checks, lookup, hand, settling),
                restarts=SupervisorRestarts(hand, settling),
            ),
        )

    def contract(self, name: str = "work", namespace: str = "ns", **spec: Any) -> UUID:
        """A contract that the operator has taken up."""
        body = self.cluster.create(name, spec, namespace)
        self.server.look(name, namespace)
        return UUID(body["metadata"]["uid"])

    def status(self, name: str = "work", namespace: str = "ns") -> JsonObject:
        """Its status."""
        return cast("JsonObject", self.cluster.objects[namespace, name]["status"])

    def spec(self, name: str = "work", namespace: str = "ns") -> JsonObject:
        """Its spec."""
        return cast("JsonObject", self.cluster.objects[namespace, name]["spec"])

    def row(self, name: str = "work") -> ContractRow:
        """What the projection has of a contract."""
        contract = Contract.from_object(self.cluster.objects["ns", name])
        assert contract.status is not None
        return contract_row(contract, contract.status)

    def gone(self, name: str = "work") -> UUID:
        """The contract is deleted, and the projection has it."""
        row = self.row(name)
        self.history.add(replace(row, deleted_at=self.clock.now()))
        self.cluster.remove(name)
        return row.uid

    def active(self, name: str = "work", **spec: Any) -> UUID:
        """A contract whose work has begun."""
        uid = self.contract(name, **spec)
        self.cluster.patch_status(name, {"state": ContractState.ACTIVE.value})
        return uid

    async def call(
        self, who: str | None, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of the answer; the path is relative to /api/v1/contracts unless it begins with it."""
        place, _, query = (path if path.startswith("/api") else f"{ROOT}{path}").partition("?")
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        every = {"content-type": "application/json", **(headers or {})}
        if who is not None:
            every["authorization"] = f"Bearer {who}"
        return await asgi(self.app, method, place, query, raw, every)

    async def good(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """The answer to a call that succeeds."""
        status, answer = await self.call(who, method, path, body)
        assert status < 300, answer
        return answer

    async def refused(self, who: str | None, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """HTTP status and code of a call that is refused."""
        status, answer = await self.call(who, method, path, body)
        assert status >= 400, answer
        assert answer["error"]["message"]
        return status, answer["error"]["code"]


async def asgi(
    app: Any, method: str, path: str, query: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, Any]:
    """One request through an ASGI application."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        "root_path": "",
        "scheme": "http",
        "server": ("x", 80),
    }
    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], json.loads(content) if content else None
