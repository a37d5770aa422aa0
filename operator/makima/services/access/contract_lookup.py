"""Which contract an address means, and whether the caller may know of it (ADR 0010, "Who is told what").

`{id}` is the UID, or `namespace:name` for the newest contract of that name. Who names a namespace is told FORBIDDEN,
whatever is in it; who names a UID that they may not read is told that there is none, as for one that never was.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from makima.contract_stores import ContractHistory
from makima.models.bounds import DNS_LABEL, UUID_PATTERN
from makima.models.history import ContractRow
from makima.models.wire.problem import Code
from makima.ports import ContractReader, JsonObject
from makima.services.access.identity import Identity
from makima.services.access.rbac import Access, Rbac
from makima.services.refusals import Refused, refusal

RESERVED = frozenset({"monitor", "dashboard", "batch"})
"""Paths of their own in the place of an id, where their features are on."""

NO_CONTRACT = "its feature is switched off, or it does not take this call: see /openapi.json"

UID = re.compile(UUID_PATTERN)
NAMESPACE = re.compile(DNS_LABEL)
NAME = re.compile(r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
REMEMBERED = 10_000
"""UIDs whose name is kept: neither ever changes, and the projection may be a moment behind."""


@dataclass(frozen=True, slots=True)
class ContractId:
    """An address: `uid`, or `namespace` and `name`."""

    uid: UUID | None = None
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return str(self.uid) if self.uid is not None else f"{self.namespace}:{self.name}"


@dataclass(frozen=True, slots=True)
class Located:
    """A contract that the caller may read.

    Attributes:
        body: the object as it is now; None if it is gone.
        row: what the projection has of it, where it was asked; always there if the object is gone.
    """

    uid: UUID
    namespace: str
    name: str
    body: JsonObject | None = None
    row: ContractRow | None = None

    def live(self) -> JsonObject:
        """The object.

        Raises:
            Refused: CONTRACT_NOT_FOUND, it is gone.
        """
        if self.body is None:
            raise refusal(
                Code.CONTRACT_NOT_FOUND,
                f"contract {self.namespace}/{self.name} ({self.uid}) is gone; only its history is there",
                hint=f"read /api/v1/contracts/{self.uid}/events or …/export",
            )
        return self.body


def parse_contract_id(text: str) -> ContractId:
    """The address in a path.

    Raises:
        Refused: VALIDATION_FAILED, it is neither form.
    """
    if UID.match(text.lower()) and len(text) == 36:
        return ContractId(uid=UUID(text))
    if text in RESERVED:
        raise refusal(Code.NOT_FOUND, f"{text} is no contract", hint=NO_CONTRACT)
    namespace, colon, name = text.partition(":")
    fits = len(namespace) <= 63 and len(name) <= 253
    if colon and fits and NAMESPACE.fullmatch(namespace) and NAME.fullmatch(name):
        return ContractId(namespace=namespace, name=name)
    raise refusal(
        Code.VALIDATION_FAILED,
        f"id: {text[:64]!r} is neither a UID nor namespace:name",
        field="id",
        hint="kubectl get contracts -A shows namespaces and names; a UID is metadata.uid",
    )


class ContractLookup:
    """Finds contracts: what is alive on the API server (a quorum read), what is gone in the projection."""

    def __init__(self, cluster: ContractReader, history: ContractHistory, rbac: Rbac) -> None:
        self._cluster, self._history, self.rbac = cluster, history, rbac
        self._places: OrderedDict[UUID, tuple[str, str]] = OrderedDict()

    async def find(self, identity: Identity, address: ContractId) -> Located:
        """The contract, if the caller may `get` it.

        Raises:
            Refused: CONTRACT_NOT_FOUND, FORBIDDEN, UNAVAILABLE.
            makima.errors.MakimaError: Postgres or the API server is away where it is needed.
        """
        if address.uid is not None:
            return await self._by_uid(identity, address.uid)
        await self.rbac.require(identity, Access("get", "contracts", address.namespace, address.name))
        body = await self._cluster.contract(address.namespace, address.name)
        if body is not None:
            return self._alive(body)
        rows = await self._history.find_contracts(address.namespace, address.name)
        if not rows:
            raise no_contract(address)
        return Located(rows[0].uid, address.namespace, address.name, row=rows[0])

    async def _by_uid(self, identity: Identity, uid: UUID) -> Located:
        row = None
        place = self._places.get(uid)
        if place is None:
            row = await self._history.contract(uid)
            if row is None:
                raise no_contract(ContractId(uid))
            place = (row.namespace, row.name)
        if not await self.rbac.holds(identity, Access("get", "contracts", *place)):
            raise no_contract(ContractId(uid))
        body = await self._cluster.contract(*place)
        if body is not None and body["metadata"]["uid"] == str(uid):
            return self._alive(body)
        row = row or await self._history.contract(uid)
        if row is None:
            raise no_contract(ContractId(uid))
        return Located(uid, *place, row=row)

    def _alive(self, body: JsonObject) -> Located:
        self.remember(body)
        meta = body["metadata"]
        return Located(UUID(meta["uid"]), meta["namespace"], meta["name"], body=body)

    def remember(self, body: JsonObject) -> None:
        """Know the place of this contract from now on, also before the projection does."""
        meta = body["metadata"]
        self._places[UUID(meta["uid"])] = (meta["namespace"], meta["name"])
        if len(self._places) > REMEMBERED:
            self._places.popitem(last=False)


def no_contract(address: ContractId) -> Refused:
    """There is none, or none that the caller may know of."""
    return refusal(
        Code.CONTRACT_NOT_FOUND,
        f"there is no contract {address}",
        hint="one that was made a moment ago is found by namespace:name at once; GET /api/v1/contracts lists yours",
    )
