"""The operator's inside: what the watch saw goes into the queue, workers look, the clock and the recorder wake.

No framework here: kopf's handlers call `see_*`, and tests drive it with fakes and a clock of their own.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from pydantic import ValidationError

from makima.domain.settings import Settings
from makima.domain.supervisor_calls.told import Report
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor
from makima.ports import History, JsonObject
from makima.services.control_loop.loop import SWEEP_SECONDS, ControlLoop
from makima.services.reconcile.companions import Companion
from makima.services.reconcile.contract_cache import ContractCache, resource_version, wish_unseen
from makima.services.reconcile.knowledge import Knowledge
from makima.services.reconcile.reconciler import ContractReconciler, Ports
from makima.services.reconcile.recorder import HistoryRecorder
from makima.services.reconcile.resync import resync

LEARN_PAUSE = 2.0

FIRST_LISTING = 30.0
"""Seconds until an operator that was shown no contract stops waiting for them, and compares."""

log = logging.getLogger(__name__)


class ContractOperator:
    """Drives all contracts. One per process; harmless, only wasteful, if a second one runs beside it."""

    def __init__(self, ports: Ports, history: History, settings: Settings, resync_every: timedelta) -> None:
        self.ports = ports
        self.cache = ContractCache()
        self.loop = ControlLoop(self._look, ports.clock)
        self.queue, self.deadlines = self.loop.queue, self.loop.deadlines
        self.recorder = HistoryRecorder(history, ports.clock)
        self.recorder.on_room = self.queue.put
        self.history, self._resync_every = history, resync_every
        self._reconciler = ContractReconciler(ports, settings, self.cache, self.recorder, self.deadlines)
        self._reconciler.look_again = self.queue.put
        self._reconciler.step_later = self.queue.step_later
        self.companions: list[Companion] = []
        self._reconciler.reports, self._reconciler.at_rest = self._reports, self._at_rest

    def accompany(self, companion: Companion) -> None:
        """Have it go along with every contract; before `start`."""
        companion.on_report = self.queue.put
        self.companions.append(companion)

    def ask(self, knowledge: Knowledge) -> None:
        """Decide with what only Postgres knows; before `start`."""
        self._reconciler.knowledge = knowledge

    def _reports(self, uid: str) -> tuple[Report, ...]:
        return tuple(report for companion in self.companions for report in companion.reports(uid))

    def _at_rest(self, contract: Contract, body: JsonObject) -> None:
        for companion in self.companions:
            companion.at_rest(contract, body)

    def see_contract(self, kind: str | None, body: JsonObject) -> None:
        """The watch saw a contract: `kind` is ADDED, MODIFIED, DELETED, or None from the first listing."""
        if kind == "DELETED":
            self.contract_gone(body["metadata"]["uid"])
        elif self.cache.see(body) is not None:
            listed = kind is None and not wish_unseen(body)
            self.queue.put(body["metadata"]["uid"], backlog=resource_version(body) if listed else None)

    def see_supervisor(self, kind: str | None, body: JsonObject) -> None:
        """The watch saw a Supervisor."""
        try:
            supervisor = Supervisor.model_validate(body)
        except ValidationError as error:
            log.warning("supervisor %s is unreadable: %s", body["metadata"].get("name"), error.errors()[0]["msg"])
            return
        self.cache.see_supervisor(supervisor, gone=kind == "DELETED")
        uid = self.cache.uid_of(supervisor.metadata.namespace, supervisor.metadata.name)
        if uid is not None:
            self.queue.put(uid, backlog=resource_version(body) if kind is None else None)

    def see_contract_type(self, kind: str | None, body: JsonObject) -> None:
        """The watch saw a ContractType: contracts that wait for it are looked at again."""
        meta = body["metadata"]
        if kind == "DELETED":
            return  # running contracts keep their snapshot
        for entry in self.cache.entries():
            if entry.awaits == meta["name"] and entry.key.namespace == meta.get("namespace"):
                self.queue.put(entry.key.uid, backlog=resource_version(body) if kind is None else None)

    def look_for_types(self) -> None:
        """Contracts that wait for a type are looked at again, as each look asks for it: a watch may have missed it."""
        for entry in self.cache.entries():
            if entry.awaits is not None:
                self.queue.put(entry.key.uid)

    def contract_gone(self, uid: str) -> None:
        """A contract is gone: forget it, and have the history say so."""
        entry = self.cache.forget(uid)
        self.deadlines.set(uid, None)
        self.ports.metrics.contract_state(uid, None, False)
        self.recorder.gone([uid])
        if entry is not None:
            for companion in self.companions:
                companion.contract_gone(entry.key)

    def start(self) -> None:
        """Start the workers, the sweep, the recorder and the resync."""
        self.loop.start(self.recorder.run(), self._resync())
        for companion in self.companions:
            companion.start()

    async def stop(self) -> None:
        """Stop; what was being written is finished by whoever leads next."""
        await self.loop.stop()
        await self._reconciler.validation.stop()
        for companion in self.companions:
            await companion.stop()

    async def _look(self, uid: str) -> None:
        await self._reconciler.look(uid)

    async def _resync(self) -> None:
        """Compare everything from time to time: kopf has no resync, and a deletion may have gone unseen."""
        await self._learn()
        await self._listed()
        while True:
            await resync(self)
            await asyncio.sleep(self._resync_every.total_seconds())

    async def _listed(self) -> None:
        """Wait for the first listing: before, every contract looks like one that the watch lost."""
        for _ in range(round(FIRST_LISTING / SWEEP_SECONDS)):
            if len(self.cache) and not self.queue.listing():
                return
            await asyncio.sleep(SWEEP_SECONDS)

    async def _learn(self) -> None:
        while True:
            try:
                return await self.recorder.learn_recorded()
            except Exception as error:  # Postgres away at start: everything unrecorded is simply sent again
                log.warning("what Postgres has is not known yet: %s", error)
                await asyncio.sleep(LEARN_PAUSE)
