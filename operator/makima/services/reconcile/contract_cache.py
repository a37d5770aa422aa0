"""What the operator remembers of each contract between looks. Only a cache: every write checks resourceVersion."""

from __future__ import annotations

import marshal
from dataclasses import dataclass

from makima.domain.reconcile.field_owners import read_owners
from makima.domain.reconcile.validation import Verdict
from makima.models.supervisor import Supervisor
from makima.ports import JsonObject, ObjectKey


@dataclass(slots=True)
class Entry:
    """One contract: the newest object seen, from the watch or as the answer to a write of our own.

    Attributes:
        version: the object's resourceVersion.
        awaits: name of the type that it may wait for, as long as it is not accepted.
        verdict: latest answer of a validator; lost on restart, which only means asking again.
        failures: looks in a row that ended in an error, for the back-off.
    """

    key: ObjectKey
    version: int = -1
    awaits: str | None = None
    verdict: Verdict | None = None
    failures: int = 0
    gone: bool = False
    _packed: bytes = b""

    def take(self, body: JsonObject) -> None:
        """Remember it, unless it is older: the answer to a write may come later than what the watch saw since."""
        version = resource_version(body)
        if version >= self.version:
            self.version, self.awaits = version, _awaits(body)
            self._packed = marshal.dumps(_without_unread_owners(body))

    @property
    def body(self) -> JsonObject:
        """The object, made anew each time (25 µs), with no more of managedFields than is read.

        Most contracts rest, and 5,000 of them that wait for a confirmation take 150 MiB parsed and whole, 80 MiB
        without those managedFields, 12 MiB like this. Nothing of managedFields is ever written back
        (`status_write.KEPT_METADATA`).
        """
        found: JsonObject = marshal.loads(self._packed)  # noqa: S302  # packed by `take`, in this process
        return found


def resource_version(body: JsonObject) -> int:
    """resourceVersion as a number; newer is larger (KEP-5504, and so in every etcd-backed API server before it)."""
    return version_number(body["metadata"].get("resourceVersion", "0"))


def version_number(text: str) -> int:
    """The same of a resourceVersion alone; 0 where it is none."""
    return int(text) if text.isdigit() else 0


def wish_unseen(body: JsonObject) -> bool:
    """Whether somebody changed the spec of an accepted contract, and its status does not answer to that yet."""
    status = body.get("status") or {}
    return "state" in status and status.get("observedGeneration") != body["metadata"].get("generation")


def _awaits(body: JsonObject) -> str | None:
    accepted = (body.get("status") or {}).get("state")
    return None if accepted else (body.get("spec") or {}).get("type")


def _without_unread_owners(body: JsonObject) -> JsonObject:
    meta = body["metadata"]
    return {**body, "metadata": {**meta, "managedFields": read_owners(meta.get("managedFields") or ())}}


class ContractCache:
    """Contracts by UID, and the supervisors that go with them by name."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._by_name: dict[tuple[str, str], str] = {}
        self._supervisors: dict[tuple[str, str], Supervisor] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, uid: str) -> Entry | None:
        """The contract of this UID, if it is known."""
        return self._entries.get(uid)

    def entries(self) -> list[Entry]:
        """Every known contract."""
        return list(self._entries.values())

    def uid_of(self, namespace: str, name: str) -> str | None:
        """UID of the contract of this name, if it is known."""
        return self._by_name.get((namespace, name))

    def see(self, body: JsonObject) -> Entry | None:
        """Remember the object if it is news; None if something newer is known already."""
        meta = body["metadata"]
        key = ObjectKey(meta.get("namespace", ""), meta["name"], meta["uid"])
        entry = self._entries.get(key.uid)
        if entry is None:
            entry = self._entries[key.uid] = Entry(key)
            self._by_name[key.namespace, key.name] = key.uid
        elif resource_version(body) <= entry.version:
            return None
        entry.take(body)
        return entry

    def forget(self, uid: str) -> Entry | None:
        """The contract is gone."""
        entry = self._entries.pop(uid, None)
        if entry is None:
            return None
        entry.gone = True
        if self._by_name.get((entry.key.namespace, entry.key.name)) == uid:
            del self._by_name[entry.key.namespace, entry.key.name]
        return entry

    def supervisor(self, key: ObjectKey) -> Supervisor | None:
        """The Supervisor named like the contract."""
        return self._supervisors.get((key.namespace, key.name))

    def see_supervisor(self, supervisor: Supervisor, *, gone: bool) -> None:
        """Remember or forget a Supervisor."""
        name = (supervisor.metadata.namespace, supervisor.metadata.name)
        if gone:
            self._supervisors.pop(name, None)
        else:
            self._supervisors[name] = supervisor
