"""A scripted world for the monitor: a source that plays what a test tells it to.

`python -m tests.support.monitor_world [N]` shows it in this terminal, with N contracts.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from makima.errors import MakimaError
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor
from makima.tui.source import (
    ApiLink,
    Change,
    ContractsSeen,
    Happening,
    Key,
    Kind,
    KubeLink,
    Link,
    LinkState,
    Listed,
    SupervisorsSeen,
)
from tests.support.monitor_contracts import NOW
from tests.support.monitor_teams import a_crowd, a_team, team_events

LIVE, BOTH_LIVE = Link(LinkState.LIVE, NOW), (KubeLink(Link(LinkState.LIVE, NOW)), ApiLink(Link(LinkState.LIVE, NOW)))


@dataclass
class PlayedWorld:
    """A source that gives what it is told, and writes down what it is asked to do.

    Attributes:
        asked: wishes in order, each as (verb, key, what).
        refuses: error with which every wish ends.
        past: the history of every contract.
    """

    start: Sequence[Change] = ()
    refuses: MakimaError | None = None
    past: Sequence[Happening] | MakimaError = ()
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    _told: asyncio.Queue[Change] = field(default_factory=asyncio.Queue)

    def tell(self, *changes: Change) -> None:
        """Let this happen."""
        for change in changes:
            self._told.put_nowait(change)

    async def changes(self) -> AsyncIterator[Change]:
        for change in self.start:
            yield change
        while True:
            yield await self._told.get()

    async def past_events(self, contract: Contract, limit: int, before: int | None = None) -> Sequence[Happening]:
        if isinstance(self.past, MakimaError):
            raise self.past
        return [event for event in self.past if before is None or (event.seq or 0) < before][-limit:]

    async def answer(self, contract: Contract, question_id: str, answer: str) -> None:
        self._ask("answer", contract, question_id, answer)

    async def advance(self, contract: Contract, to: str, *, confirmed: bool, reason: str | None = None) -> None:
        assert contract.status is not None
        self._ask("advance", contract, to, contract.status.version, confirmed)

    async def suspend(self, contract: Contract, suspended: bool, reason: str | None = None) -> None:
        self._ask("suspend" if suspended else "resume", contract, reason)

    async def retry(self, contract: Contract) -> None:
        assert contract.status is not None
        self._ask("retry", contract, contract.status.version)

    async def restart_supervisor(self, contract: Contract, incarnation: int) -> None:
        self._ask("restart", contract, incarnation)

    def _ask(self, verb: str, contract: Contract, *what: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.asked.append((verb, (contract.metadata.namespace, contract.metadata.name), *what))


def told(
    contracts: Iterable[Contract], supervisors: Iterable[Supervisor] = (), links: Sequence[Change] = BOTH_LIVE
) -> list[Change]:
    """What a source says at the start."""
    contracts, supervisors = list(contracts), list(supervisors)

    def keys(items: Sequence[Contract | Supervisor]) -> frozenset[Key]:
        return frozenset((item.metadata.namespace, item.metadata.name) for item in items)

    return [
        ContractsSeen(contracts),
        Listed(Kind.CONTRACTS, keys(contracts)),
        SupervisorsSeen(supervisors),
        Listed(Kind.SUPERVISORS, keys(supervisors)),
        *links,
    ]


def main() -> None:
    """Show the world in this terminal."""
    from makima.tui.app import MonitorApp

    contracts, supervisors = a_crowd(int(sys.argv[1])) if len(sys.argv) > 1 else a_team()
    source = PlayedWorld([*told(contracts, supervisors), team_events()])
    MonitorApp(source, now=lambda: NOW).run()


if __name__ == "__main__":
    main()
