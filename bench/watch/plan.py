"""Who watches what, and what happens: values alone, so that every process of the measurement has the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

CONTRACTS = 1000
SPACES = 20
STATES = ("waiting_for_input", "blocked", "paused", "completing")
"""States that are watched: one contract in a hundred is in each; all others are active."""


def contract_id(index: int) -> UUID:
    """Contract number so and so."""
    return UUID(int=(0xC0DE << 64) + index)


def namespace(index: int) -> str:
    """Where it is."""
    return f"watched-{index % SPACES:02d}"


def status(index: int) -> str:
    """The state that it is in all the time."""
    rest = index % 100
    return STATES[rest] if rest < len(STATES) else "active"


@dataclass(frozen=True, slots=True)
class Happening:
    """The event number so and so."""

    number: int

    @property
    def contract(self) -> int:
        """Which contract: each in turn, but neighbours far from each other."""
        return self.number * 617 % CONTRACTS


@dataclass(frozen=True)
class Watcher:
    """One client's filter."""

    kind: str
    contracts: tuple[int, ...] = ()
    space: str = ""
    state: str = ""

    @cached_property
    def query(self) -> str:
        """The filter as an address says it."""
        match self.kind:
            case "contracts":
                return "?" + "&".join(f"contract_id={contract_id(index)}" for index in self.contracts)
            case "namespace":
                return f"?namespace={self.space}"
            case "status":
                return f"?status={self.state}"
            case _:
                return "?include_stale=true"

    def wants(self, contract: int) -> bool:
        """Whether an event of this contract is for it."""
        match self.kind:
            case "contracts":
                return contract in self.contracts
            case "namespace":
                return namespace(contract) == self.space
            case "status":
                return status(contract) == self.state
            case _:
                return True


def watchers(number: int) -> Iterator[Watcher]:
    """Of 1,000: 767 watch five contracts each, 200 a state, 30 a namespace, 3 everything."""
    for place in range(number):
        share = place % 1000
        if share < 3:
            yield Watcher("everything")
        elif share < 33:
            yield Watcher("namespace", space=namespace(place))
        elif share < 233:
            yield Watcher("status", state=STATES[place % len(STATES)])
        else:
            yield Watcher("contracts", contracts=tuple((place * 37 + step * 211) % CONTRACTS for step in range(5)))


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """What the process of the clients has to know.

    Attributes:
        silent: so many more clients watch everything and never read.
        filtered: whether the server filters; else the client throws away what it does not want.
    """

    kind: str
    port: int
    token: str
    clients: int
    silent: int
    filtered: bool = True

    @classmethod
    def read(cls, values: dict[str, Any]) -> WatchPlan:
        """From JSON."""
        return cls(**values)
