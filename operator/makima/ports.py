"""What the use cases need of the outside: small protocols, met by `makima.adapters` and by the fakes of the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from makima.domain.notices import Notice
from makima.domain.reconcile.validation import Question, Verdict
from makima.models.contract_type import ContractType
from makima.models.credential import Credential
from makima.models.history import HistoryBatch, Unversioned

JsonObject = dict[str, Any]
Operations = Sequence[Mapping[str, Any]]
"""A JSON patch (RFC 6902)."""

CONTRACTS_PAGE = 250
"""Contracts in a page of a list from the API server.

Of a page, the text and all that is parsed of it are there at the same time, managedFields too, which are half of a
contract: peak memory of a restart with 5,000 in docs/benchmarks.md.
"""


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """Which object: namespace, name and UID (the UID tells a re-created one from its predecessor)."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class Clock(Protocol):
    """The time, so that tests can hold it."""

    def now(self) -> datetime:
        """The current time, in UTC, with microseconds."""
        ...


class AsCaller(Protocol):
    """The API server, called with a caller's own credential: what it lets in, it lets that caller do.

    `manager` is the field manager: it shows in the history as who did it. Methods raise `makima.errors.ClusterError`
    subclasses; `Denied` says with which HTTP status (401: the token is not for the API server).
    """

    async def create_contract(self, credential: Credential, body: JsonObject, manager: str) -> JsonObject:
        """Make a contract; a field that there is not is refused."""
        ...

    async def patch_contract(
        self, credential: Credential, namespace: str, name: str, operations: Operations, manager: str
    ) -> JsonObject:
        """Change a contract by a JSON patch; the contract as it is then."""
        ...

    async def delete_contract(self, credential: Credential, key: ObjectKey, resource_version: str | None) -> None:
        """Delete exactly this contract, perhaps only as of this resourceVersion."""
        ...


class ContractReader(Protocol):
    """Whoever can read one contract. Raises `makima.errors.ClusterError` subclasses."""

    async def contract(self, namespace: str, name: str) -> JsonObject | None:
        """The contract as the API server has it now (a quorum read), or None if it is gone."""
        ...


class Cluster(Protocol):
    """The Kubernetes API as far as contracts need it. Every method raises `makima.errors.ClusterError` subclasses."""

    async def contract(self, namespace: str, name: str) -> JsonObject | None:
        """The contract as the API server has it now (a quorum read), or None if it is gone."""
        ...

    async def contract_type(self, namespace: str, name: str) -> ContractType | None:
        """The ContractType of this name, or None."""
        ...

    async def write_status(self, body: JsonObject) -> JsonObject:
        """Replace the status of a contract, with the body's resourceVersion and UID as preconditions.

        Returns:
            The contract as stored.

        Raises:
            Conflict: somebody wrote in between: read and decide again.
            NotFound: it is gone.
            Denied: a policy or RBAC refused it; the message carries the plan's code.
            ClusterUnavailable: no answer, or 5xx/429; nothing is known about the write.
        """
        ...

    async def delete_contract(self, key: ObjectKey, resource_version: str) -> None:
        """Delete exactly this contract, unless it changed since `resource_version`."""
        ...

    async def list_contract_versions(self) -> dict[ObjectKey, str]:
        """resourceVersion of every contract that exists (metadata only)."""
        ...


class StatusWriter(Protocol):
    """Whoever can replace the status of an object of one kind."""

    async def write_status(self, body: JsonObject) -> JsonObject:
        """Replace the status, with the body's resourceVersion and UID as preconditions; as `Cluster.write_status`."""
        ...


class Supervisors(StatusWriter, Protocol):
    """Supervisors on the Kubernetes API. Every method raises `makima.errors.ClusterError` subclasses."""

    async def supervisor(self, namespace: str, name: str) -> JsonObject | None:
        """The Supervisor as the API server has it now (a quorum read), or None."""
        ...

    async def list_supervisor_versions(self) -> dict[ObjectKey, str]:
        """resourceVersion of every Supervisor that exists (metadata only)."""
        ...

    async def create_supervisor(self, body: JsonObject) -> JsonObject | None:
        """Make it; None if there is one of that name already."""
        ...

    async def replace_supervisor(self, body: JsonObject) -> JsonObject:
        """Replace the spec, with the body's resourceVersion and UID as preconditions."""
        ...


class Pods(Protocol):
    """Pods of supervisors. Every method raises `makima.errors.ClusterError` subclasses."""

    async def create_pod(self, body: JsonObject) -> JsonObject:
        """Make the pod of a life, or find the one that was made for the same life before.

        Raises:
            Denied: a quota, a policy, or another pod of that name.
        """
        ...

    async def delete_pod(self, namespace: str, name: str, uid: str, *, at_once: bool = False) -> None:
        """Delete exactly this pod; gone already, or another one of that name, is fine. `at_once`: without grace."""
        ...

    async def pod(self, namespace: str, name: str) -> JsonObject | None:
        """The pod as it is now, or None."""
        ...

    async def list_pods(self) -> list[JsonObject]:
        """Every pod of a supervisor that there is."""
        ...


class Jobs(Protocol):
    """Jobs of tasks and of workspaces. Every method raises `makima.errors.ClusterError` subclasses."""

    async def job(self, namespace: str, name: str) -> JsonObject | None:
        """The Job as it is now, or None."""
        ...

    async def create_job(self, body: JsonObject) -> None:
        """Make it, unless one of that name is there."""
        ...

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete exactly this Job, with its pods."""
        ...

    async def list_jobs(self) -> list[JsonObject]:
        """Every Job that the operator made."""
        ...

    async def last_words(self, namespace: str, name: str) -> str:
        """What the newest pod of a Job wrote as its termination message; "" where there is none."""
        ...


class Volumes(Protocol):
    """Claims of workspaces. Every method raises `makima.errors.ClusterError` subclasses."""

    async def create_claim(self, body: JsonObject) -> None:
        """Make the claim, unless one of that name is there."""
        ...


class EventSink(Protocol):
    """Where Kubernetes Events go."""

    def publish(self, contract: JsonObject, notice: Notice, at: datetime) -> None:
        """Send an Event about the contract, soon; never blocks and never raises."""
        ...


class Validators(Protocol):
    """Who asks a gate's validator."""

    async def ask(self, question: Question, contract: JsonObject) -> Verdict:
        """The verdict; an error or a time-out is a verdict too. Never raises."""
        ...


class History(Protocol):
    """The Postgres history as far as the operator needs it. Methods raise `makima.errors.HistoryUnavailable`."""

    async def record(self, batch: HistoryBatch) -> None:
        """Store projection rows and events in one transaction; storing them again changes nothing."""
        ...

    async def recorded_versions(self) -> dict[str, int]:
        """Highest recorded version by contract UID, of contracts not marked deleted."""
        ...

    async def unversioned(self) -> dict[str, Unversioned]:
        """What the projection says of contracts that can change without a version, by UID, where it says anything."""
        ...

    async def mark_caught_up(self) -> None:
        """Everything that this recorder was given is recorded: the projection is as new as this moment."""
        ...

    async def live_uids(self) -> Sequence[tuple[str, str, str]]:
        """(uid, namespace, name) of every contract not marked deleted."""
        ...

    async def mark_deleted(self, uids: Sequence[str], at: datetime) -> None:
        """Mark contracts as deleted, once, with an event each."""
        ...


class Metrics(Protocol):
    """The plan's counters and gauges."""

    def phase_transition(self, from_phase: str, to_phase: str) -> None:
        """One more `phase_transitions_total`."""
        ...

    def completion_detected(self) -> None:
        """One more `completion_detections_total`."""
        ...

    def contract_state(self, uid: str, state: str | None, stale: bool) -> None:
        """State of one contract, for `contracts_by_status` and `contracts_stale_count`; None when it is gone."""
        ...

    def reconcile_result(self, result: str, seconds: float) -> None:
        """One look at a contract, and how long it took.

        Args:
            result: written, unchanged, conflict, denied, gone, unavailable, unreadable or error.
            seconds: from its begin to its end, writes included.
        """
        ...
