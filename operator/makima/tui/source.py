"""What the monitor needs of the world: what is so, what happens, and the things that a person can do about it.

`makima.tui.live` does it with a kubeconfig; tests play a scripted world.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from makima.models.contract import Contract
from makima.models.supervisor import Supervisor

Key = tuple[str, str]
"""Namespace and name: of a contract, and of its supervisor, which is named like it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a contract, as the monitor stream tells it.

    Attributes:
        type: `StatusChanged`, `PhaseChanged`, `Heartbeat`, … (plan 5.1).
        seq: place in the stream; None for heartbeats and for what was seen in the resource itself.
        version: version of the contract that it made, where it made one.
        fields: the plan's fields of this type, in snake_case.
    """

    type: str
    at: datetime
    key: Key
    contract_id: str
    seq: int | None = None
    version: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


class LinkState(StrEnum):
    """Whether one of the two ways in works."""

    CONNECTING = "connecting"
    LIVE = "live"
    DOWN = "down"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Link:
    """One way in: the Kubernetes API (contracts and supervisors), or makima's (events, heartbeats).

    Attributes:
        since: since when it is so.
        why: what is wrong, and what to do about it.
    """

    state: LinkState = LinkState.CONNECTING
    since: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ContractsSeen:
    """Contracts as they are now; many at the start, few later."""

    contracts: Sequence[Contract]


@dataclass(frozen=True, slots=True)
class ContractGone:
    """A contract was deleted."""

    key: Key


@dataclass(frozen=True, slots=True)
class SupervisorsSeen:
    """Supervisors as they are now."""

    supervisors: Sequence[Supervisor]


@dataclass(frozen=True, slots=True)
class SupervisorGone:
    """A supervisor was deleted."""

    key: Key


class Kind(StrEnum):
    """What can be listed."""

    CONTRACTS = "contracts"
    SUPERVISORS = "supervisors"


@dataclass(frozen=True, slots=True)
class Listed:
    """Everything of this kind was told again, in this namespace (None = in all); what is not in `keys` is gone."""

    kind: Kind
    keys: frozenset[Key]
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """Events, in the order in which they happened."""

    events: Sequence[Happening]


@dataclass(frozen=True, slots=True)
class Missed:
    """The stream could not keep up: this many heartbeats, and events of these sequence numbers, were left out."""

    hint: str


@dataclass(frozen=True, slots=True)
class KubeLink:
    """The state of the watch."""

    link: Link


@dataclass(frozen=True, slots=True)
class ApiLink:
    """The state of the monitor stream."""

    link: Link


Change = (
    ContractsSeen | ContractGone | SupervisorsSeen | SupervisorGone | Listed | Happened | Missed | KubeLink | ApiLink
)


class Source(Protocol):
    """The world. Every action raises `MakimaError` with a message and a hint for the person who asked for it."""

    def changes(self) -> AsyncIterator[Change]:
        """What is so, then every change, for ever: broken connections are taken up again by the source itself."""
        ...

    async def past_events(self, contract: Contract, limit: int, before: int | None = None) -> Sequence[Happening]:
        """The latest events of a contract from the history, or the last before that number; oldest first."""
        ...

    async def answer(self, contract: Contract, question_id: str, answer: str) -> None:
        """Answer an open question."""
        ...

    async def advance(self, contract: Contract, to: str, *, confirmed: bool, reason: str | None = None) -> None:
        """Ask for the move from exactly the version that `contract` has."""
        ...

    async def suspend(self, contract: Contract, suspended: bool, reason: str | None = None) -> None:
        """Pause or resume."""
        ...

    async def retry(self, contract: Contract) -> None:
        """Take a failed contract up again, in exactly the version that `contract` has."""
        ...

    async def restart_supervisor(self, contract: Contract, incarnation: int) -> None:
        """End this life of the supervisor."""
        ...
