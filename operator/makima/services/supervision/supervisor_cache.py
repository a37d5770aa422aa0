"""What the operator remembers of each supervisor between looks. Only a cache: every act has its own precondition."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from makima.domain.supervision.pod_reading import SupervisorPod
from makima.domain.supervision.pods import PodSeen
from makima.models.supervision import Session
from makima.ports import JsonObject
from makima.services.reconcile.contract_cache import resource_version

Name = tuple[str, str]
"""Namespace and name, which a supervisor shares with its contract."""


@dataclass(frozen=True, slots=True)
class Silent:
    """This life is dead: nothing was heard of it since."""

    incarnation: int
    since: datetime


@dataclass(slots=True)
class Carrier:
    """The supervisor of one contract.

    Attributes:
        body: the newest object seen, from the watch or as the answer to a write of our own; None = there is none.
        pods: by UID, whichever supervisor of this name they were made for.
        session: the row in Postgres as last read; None = not read yet, or there is none.
        session_read: whether `session` says anything.
        silent: its current life is dead by silence.
        failures: looks in a row that ended in an error, for the back-off.
        slot: when the life after this one may begin, by the fleet's rate of restarts: (life, moment).
        shown_at: when the status was last written; `budgeted`: when the next write that only shows may be made.
    """

    name: Name
    body: JsonObject | None = None
    pods: dict[str, SupervisorPod] = field(default_factory=dict)
    session: Session | None = None
    session_read: bool = False
    silent: Silent | None = None
    failures: int = 0
    slot: tuple[int, datetime] | None = None
    shown_at: datetime | None = None
    budgeted: datetime | None = None

    @property
    def uid(self) -> str:
        """UID of the Supervisor; "" while there is none."""
        return str(self.body["metadata"]["uid"]) if self.body is not None else ""

    def own_pods(self) -> tuple[PodSeen, ...]:
        """Pods of exactly this Supervisor, oldest life first."""
        found = (item.pod for item in self.pods.values() if item.owner == self.uid)
        return tuple(sorted(found, key=lambda pod: pod.incarnation))


class SupervisorCache:
    """Supervisors by name, and their pods by UID."""

    def __init__(self) -> None:
        self._carriers: dict[Name, Carrier] = {}
        self._pods: dict[str, Name] = {}

    def __len__(self) -> int:
        return len(self._carriers)

    def carriers(self) -> list[Carrier]:
        """Every known one."""
        return list(self._carriers.values())

    def get(self, name: Name) -> Carrier | None:
        """The supervisor of this name, if anything is known of it."""
        return self._carriers.get(name)

    def at(self, name: Name) -> Carrier:
        """The supervisor of this name; from now on it is known."""
        return self._carriers.setdefault(name, Carrier(name))

    def see(self, body: JsonObject) -> Carrier | None:
        """Remember the object if it is news; None if something newer is known already."""
        meta = body["metadata"]
        carrier = self.at((meta.get("namespace", ""), meta["name"]))
        known = carrier.body
        if known is not None and known["metadata"]["uid"] == meta["uid"]:
            if resource_version(body) <= resource_version(known):
                return None
        elif known is not None and resource_version(body) < resource_version(known):
            return None  # of one that was deleted before this one was made
        carrier.body = body
        return carrier

    def see_gone(self, body: JsonObject) -> Carrier | None:
        """The Supervisor is gone; None if another one of that name is known by now."""
        meta = body["metadata"]
        carrier = self._carriers.get((meta.get("namespace", ""), meta["name"]))
        if carrier is None or carrier.uid != meta["uid"]:
            return None
        carrier.body, carrier.silent = None, None
        return carrier

    def see_pod(self, pod: SupervisorPod, *, gone: bool) -> Carrier:
        """Remember or forget a pod; an older picture than is known changes nothing."""
        carrier = self.at((pod.namespace, pod.supervisor))
        known = carrier.pods.get(pod.pod.uid)
        if known is not None and known.version > pod.version:
            return carrier
        if gone:
            carrier.pods.pop(pod.pod.uid, None)
            self._pods.pop(pod.pod.uid, None)
        else:
            carrier.pods[pod.pod.uid] = pod
            self._pods[pod.pod.uid] = carrier.name
        return carrier

    def pod_uids(self) -> set[str]:
        """Every pod that is known."""
        return set(self._pods)

    def drop_pod(self, uid: str) -> Carrier | None:
        """The pod is gone, though nobody said so."""
        name = self._pods.pop(uid, None)
        carrier = self._carriers.get(name) if name is not None else None
        if carrier is not None:
            carrier.pods.pop(uid, None)
        return carrier

    def keep_session(self, session: Session) -> Carrier | None:
        """The row was read or written; None if nothing of that name is known here, or a later row is."""
        carrier = self._carriers.get((session.namespace, session.name))
        if carrier is None:
            return None
        before = carrier.session
        if before is not None and before.contract_id == session.contract_id and _later(before, session):
            return None
        carrier.session, carrier.session_read = session, True
        return carrier

    def forget(self, name: Name) -> None:
        """Nothing of this name is left."""
        carrier = self._carriers.pop(name, None)
        if carrier is None:
            return
        for uid in carrier.pods:
            self._pods.pop(uid, None)


def _later(known: Session, read: Session) -> bool:
    """Whether the row that is known was written after the one that was read."""
    if known.incarnation != read.incarnation:
        return known.incarnation > read.incarnation
    return known.updated_at is not None and read.updated_at is not None and known.updated_at > read.updated_at
