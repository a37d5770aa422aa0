"""From the outbox to Postgres: the newest state of each contract is enough, since it carries every unrecorded version.

Memory is bounded by the number of contracts. With Postgres away nothing is lost: the transitions stay in the status,
and a contract whose outbox is full holds until `record` succeeds again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from makima.domain.reconcile.history import contract_row, task_rows, unrecorded_events, unversioned
from makima.domain.reconcile.outbox import is_full, unrecorded
from makima.domain.supervisor_calls.commands import unrecorded_commands
from makima.errors import HistoryEntriesRefused, HistoryUnavailable
from makima.models.contract import Contract
from makima.models.history import HistoryBatch, HistoryEvent, Unversioned
from makima.ports import Clock, History
from makima.stores import CommandStore

BATCH = 500
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0

GATHER = 0.1
"""Seconds in which versions gather into one transaction: one for each of them took a ninth of the operator's CPU time
(45 contracts a second, measured). Nobody waits for it but a contract whose outbox is full."""

MARK_SECONDS = 5.0
"""How often it is said that nothing waits: the projection is behind by no more than the time since."""

NOTHING = Unversioned()

log = logging.getLogger(__name__)


class HistoryRecorder:
    """Sends contracts to the history in batches, again and again until they are there.

    Attributes:
        on_room: called with the UID of a contract whose full outbox has been recorded.
        commands: takes what supervisors are told of transitions; None = nobody is told.
    """

    def __init__(self, history: History, clock: Clock) -> None:
        self._history, self._clock = history, clock
        self._pending: dict[str, Contract] = {}
        self._extra: list[HistoryEvent] = []
        self._gone: dict[str, None] = {}
        self._recorded: dict[str, int] = {}
        self._shown: dict[str, Unversioned] = {}  # without those for which there is nothing to say
        self._marked_at = float("-inf")
        self._wanted = asyncio.Event()
        self.on_room: Callable[[str], None] = lambda _uid: None
        self.commands: CommandStore | None = None

    def recorded_version(self, uid: str) -> int:
        """Highest version of this contract known to be in Postgres."""
        return self._recorded.get(uid, 0)

    def waiting(self) -> int:
        """How many contracts wait to be recorded."""
        return len(self._pending) + len(self._gone)

    def behind(self, contract: Contract) -> bool:
        """Whether the history lacks something of this contract: a version, or what changed without one."""
        uid, status = contract.metadata.uid, contract.status
        if status is None:
            return False
        shown = self._shown.get(uid, NOTHING)
        return bool(unrecorded(status, self.recorded_version(uid))) or shown != unversioned(contract, status)

    def submit(self, contract: Contract) -> None:
        """Have the newest state of this contract recorded; never blocks."""
        self._pending[contract.metadata.uid] = contract
        self._wanted.set()

    def add_event(self, event: HistoryEvent) -> None:
        """Have one event recorded that belongs to no version."""
        self._extra.append(event)
        self._wanted.set()

    def gone(self, uids: Sequence[str]) -> None:
        """Have these contracts marked as deleted."""
        self._gone.update(dict.fromkeys(uids))
        self._wanted.set()

    async def learn_recorded(self) -> None:
        """Ask Postgres what it has, so that a restart does not send everything again."""
        for uid, version in (await self._history.recorded_versions()).items():
            self._recorded[uid] = max(version, self._recorded.get(uid, 0))
        for uid, shown in (await self._history.unversioned()).items():
            self._shown.setdefault(uid, shown)

    async def run(self) -> None:
        """Record until cancelled."""
        pause = FIRST_PAUSE
        while True:
            await self._wait()
            self._wanted.clear()
            try:
                await self.flush()
                await self._mark()
                pause = FIRST_PAUSE
            except HistoryUnavailable as error:
                log.warning("history not available, %d contracts wait: %s", self.waiting(), error)
                self._wanted.set()
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _wait(self) -> None:
        """Until there is something to record and more has gathered, or it is time for a mark."""
        try:
            async with asyncio.timeout(MARK_SECONDS):
                await self._wanted.wait()
        except TimeoutError:
            return
        await asyncio.sleep(GATHER)

    async def _mark(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._marked_at >= MARK_SECONDS - GATHER:
            await self._history.mark_caught_up()
            self._marked_at = now

    async def flush(self) -> None:
        """Record everything that waits.

        Raises:
            HistoryUnavailable: Postgres can't be reached; what was not recorded still waits.
        """
        while self._pending or self._extra or self._gone:
            contracts = [self._pending[uid] for uid in list(self._pending)[:BATCH]]
            extra = self._extra[:BATCH]
            await self._tell(contracts)
            await self._record(self._batch(contracts, extra))
            del self._extra[: len(extra)]
            for contract in contracts:
                self._acknowledge(contract)
            self._forget_deleted(await self._mark_gone(self._clock.now()))

    async def _tell(self, contracts: Sequence[Contract]) -> None:
        """Commands before the history: once a version is recorded nobody makes its commands again."""
        if self.commands is None:
            return
        carried = [(item, item.status) for item in contracts if item.status is not None and item.status.supervisor_ref]
        told = [
            command
            for contract, status in carried
            for command in unrecorded_commands(contract, status, self.recorded_version(contract.metadata.uid))
        ]
        if told:
            await self.commands.put(told)

    async def _record(self, batch: HistoryBatch) -> None:
        try:
            await self._history.record(batch)
        except HistoryEntriesRefused as error:  # the rest is stored; sending these again would only block the others
            log.warning("history: %s", error)

    def _batch(self, contracts: Sequence[Contract], extra: Sequence[HistoryEvent]) -> HistoryBatch:
        accepted = [(contract, contract.status) for contract in contracts if contract.status is not None]
        events = [
            event
            for contract, status in accepted
            for event in unrecorded_events(contract, status, self.recorded_version(contract.metadata.uid))
        ]
        return HistoryBatch(
            rows=tuple(contract_row(contract, status) for contract, status in accepted),
            events=(*events, *extra),
            tasks=tuple(row for contract, status in accepted for row in task_rows(contract, status)),
        )

    async def _mark_gone(self, now: datetime) -> list[str]:
        uids = [uid for uid in self._gone if uid not in self._pending]
        if uids:
            await self._history.mark_deleted(uids, now)
        return uids

    def _forget_deleted(self, uids: Sequence[str]) -> None:
        for uid in uids:
            self._gone.pop(uid, None)
            self._recorded.pop(uid, None)
            self._shown.pop(uid, None)

    def _acknowledge(self, contract: Contract) -> None:
        uid, status = contract.metadata.uid, contract.status
        if self._pending.get(uid) is contract:
            del self._pending[uid]
        if status is None:
            return
        held = is_full(status, self.recorded_version(uid))
        self._recorded[uid] = max(status.version, self.recorded_version(uid))
        self._show(uid, unversioned(contract, status))
        if held:
            self.on_room(uid)

    def _show(self, uid: str, shown: Unversioned) -> None:
        if shown == NOTHING:
            self._shown.pop(uid, None)
        else:
            self._shown[uid] = shown
