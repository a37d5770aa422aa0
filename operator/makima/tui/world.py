"""What the monitor knows: contracts, supervisors, heartbeats and events, and which rows a change touched."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from makima.models.contract import Contract
from makima.models.supervisor import Supervisor
from makima.tui.feed import Feed
from makima.tui.happenings import seen_in, supervisor_seen_in
from makima.tui.rows import Beat, Row, beat_of, row_of
from makima.tui.source import (
    ApiLink,
    Change,
    ContractGone,
    ContractsSeen,
    Happened,
    Happening,
    Key,
    Kind,
    KubeLink,
    LinkState,
    Listed,
    Missed,
    SupervisorGone,
    SupervisorsSeen,
)

EVENTS = 500
"""Latest events kept of all contracts together."""


@dataclass(slots=True)
class Touched:
    """What changed since the last look.

    Attributes:
        rows: keys whose row is another one now, is new, or is gone.
        feed: the status line says something else now.
        events: what happened, oldest first.
    """

    rows: set[Key] = field(default_factory=set)
    feed: bool = False
    events: list[Happening] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.feed or self.events)


class World:
    """The monitor's own picture. Nothing in it waits, and nothing in it knows a terminal."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.contracts: dict[Key, Contract] = {}
        self.supervisors: dict[Key, Supervisor] = {}
        self.events: deque[Happening] = deque(maxlen=EVENTS)
        self.feed = Feed()
        self._beats: dict[Key, Beat] = {}
        self._touched = Touched()
        self._now = datetime.min.replace(tzinfo=UTC)

    def apply(self, change: Change, now: datetime) -> None:
        """Take one change in."""
        self._now = now
        match change:
            case ContractsSeen(contracts):
                for contract in contracts:
                    self._contract(contract)
            case SupervisorsSeen(supervisors):
                for supervisor in supervisors:
                    self._supervisor(supervisor)
            case ContractGone(key):
                self._forget_contract(key)
            case SupervisorGone(key):
                self._forget_supervisor(key)
            case Listed():
                self._keep_only(change)
            case Happened(events):
                self._happened(events)
            case Missed() | KubeLink() | ApiLink():
                self.feed = self.feed.after(change, now)
                self._touched.feed = True

    def take_touched(self) -> Touched:
        """What changed since this was called last."""
        touched, self._touched = self._touched, Touched()
        return touched

    def events_of(self, key: Key) -> list[Happening]:
        """The latest events of one contract, oldest first."""
        return [event for event in self.events if event.key == key]

    def _contract(self, contract: Contract) -> None:
        key = (contract.metadata.namespace, contract.metadata.name)
        before = self.contracts.get(key)
        self.contracts[key] = contract
        if self.feed.api.state is not LinkState.LIVE and before is not None:
            self._log(seen_in(before, contract, self._now))
        self._refresh(key)

    def _supervisor(self, supervisor: Supervisor) -> None:
        key = (supervisor.metadata.namespace, supervisor.metadata.name)
        before, contract = self.supervisors.get(key), self.contracts.get(key)
        self.supervisors[key] = supervisor
        if self.feed.api.state is not LinkState.LIVE and before is not None and contract is not None:
            self._log(supervisor_seen_in(before, supervisor, contract.metadata.uid, self._now))
        self._refresh(key)

    def _forget_contract(self, key: Key) -> None:
        self.contracts.pop(key, None)
        self._beats.pop(key, None)
        if self.rows.pop(key, None) is not None:
            self._touched.rows.add(key)

    def _forget_supervisor(self, key: Key) -> None:
        if self.supervisors.pop(key, None) is not None:
            self._refresh(key)

    def _keep_only(self, listed: Listed) -> None:
        known, forget = (
            (self.contracts.keys(), self._forget_contract)
            if listed.kind is Kind.CONTRACTS
            else (self.supervisors.keys(), self._forget_supervisor)
        )
        for key in known - listed.keys:
            if listed.namespace in (None, key[0]):
                forget(key)

    def _happened(self, events: Sequence[Happening]) -> None:
        for event in events:
            contract = self.contracts.get(event.key)
            if event.type == "Heartbeat" and (contract is None or contract.metadata.uid == event.contract_id):
                self._beats[event.key] = beat_of(event)
                self._refresh(event.key)
        self._log(events)

    def _log(self, events: Sequence[Happening]) -> None:
        told = [event for event in events if event.type != "Heartbeat"]
        self.events.extend(told)
        self._touched.events.extend(told)

    def _refresh(self, key: Key) -> None:
        contract = self.contracts.get(key)
        if contract is None:
            return
        row = row_of(contract, self.supervisors.get(key), self._beats.get(key), self._now)
        if self.rows.get(key) != row:
            self.rows[key] = row
            self._touched.rows.add(key)
