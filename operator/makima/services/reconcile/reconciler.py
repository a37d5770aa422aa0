"""Contracts, level-triggered: look at the whole object, decide, write once; again until nothing changes.

The flow `kubectl apply → policies → kopf handler → decide → one status write → history` runs through
`ContractOperator.see_contract` and `look`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from pydantic import ValidationError

from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.domain.supervisor_calls.told import Report
from makima.errors import ClusterError, Conflict, Denied, NotFound
from makima.models.contract import Contract
from makima.models.contract_type import ContractType
from makima.models.enums import ContractState
from makima.ports import Clock, Cluster, EventSink, JsonObject, Metrics, Validators
from makima.services.control_loop.deadline_index import DeadlineIndex
from makima.services.reconcile.contract_cache import ContractCache, Entry
from makima.services.reconcile.contract_news import ContractNews
from makima.services.reconcile.knowledge import Knowledge, Known
from makima.services.reconcile.look_failures import LookFailures
from makima.services.reconcile.recorder import HistoryRecorder
from makima.services.reconcile.validation_queue import ValidationQueue
from makima.services.status_write import write_refusal, write_status

MAX_WRITES = 50
"""Writes in one look before the others get their turn; a contract can't need more than a few per phase."""

ASKED_AGAIN = timedelta(seconds=2)
"""How long after Postgres did not answer a contract that needs it is looked at again."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a look at a contract talks to."""

    cluster: Cluster
    events: EventSink
    validators: Validators
    metrics: Metrics
    clock: Clock


class ContractReconciler:
    """Brings one contract at a time to where it should be.

    Attributes:
        validation: validators that are being asked.
        look_again: called with the UID of a contract that has news.
        step_later: called with the UID of a contract that was written; whether it is looked at again later, as others
            wait for their first step.
        reports: gives what the operator itself has to tell a contract (its Jobs, its workspace).
        knowledge: what only Postgres knows of contracts; None = supervisors are not looked at.
        at_rest: called with a contract that nothing more is to be done about now.
    """

    def __init__(
        self,
        ports: Ports,
        settings: Settings,
        cache: ContractCache,
        recorder: HistoryRecorder,
        deadlines: DeadlineIndex,
    ) -> None:
        self._ports, self._settings = ports, settings
        self._cache, self._recorder, self._deadlines = cache, recorder, deadlines
        self._news = ContractNews(recorder, ports.events, ports.metrics, ports.clock)
        self._failures = LookFailures(ports.events, ports.clock, deadlines)
        self.validation = ValidationQueue(ports.validators)
        self.validation.on_verdict = self._take_verdict
        self.look_again: Callable[[str], None] = lambda uid: deadlines.set(uid, ports.clock.now())
        self.step_later: Callable[[str], bool] = lambda _uid: False
        self.reports: Callable[[str], tuple[Report, ...]] = lambda _uid: ()
        self.knowledge: Knowledge | None = None
        self.at_rest: Callable[[Contract, JsonObject], None] = lambda _contract, _body: None

    async def look(self, uid: str) -> None:
        """Look at one contract, and act until nothing is left to do now. Errors become a later look; never raises."""
        entry = self._cache.get(uid)
        if entry is None:
            return
        self._deadlines.set(uid, None)
        began = perf_counter()
        result = await self._attempt(entry)
        self._ports.metrics.reconcile_result(result, perf_counter() - began)

    async def _attempt(self, entry: Entry) -> str:
        """Act, and turn every failure into a later look; what became of it in a word, for the metrics."""
        before = entry.version
        try:
            await self._act(entry)
        except ValidationError as error:
            self._failures.unreadable(entry, error)
            return "unreadable"
        except ClusterError as error:
            self._failures.failed(entry, error)
            return {Denied: "denied", NotFound: "gone", Conflict: "conflict"}.get(type(error), "unavailable")
        except Exception as error:  # a bug must not stop the other contracts
            self._failures.unexpected(entry, error)
            return "error"
        entry.failures = 0
        return "unchanged" if entry.version == before else "written"

    async def _act(self, entry: Entry) -> None:
        for _ in range(MAX_WRITES):
            body = entry.body
            contract = Contract.from_object(body)
            known = await self.knowledge.of(contract) if self.knowledge is not None else Known()
            decision = decide(contract, await self._surroundings(entry, contract, known))
            if decision.question is not None:
                self.validation.ask(entry, decision.question)
                return
            if decision.status is not None or decision.refusal is not None:
                await self._write(entry, body, contract, decision)
                if _has_begun(decision) and self.step_later(entry.key.uid):
                    return
            else:
                await self._rest(entry, body, contract, decision)
                if known.incomplete:
                    self._deadlines.set(entry.key.uid, self._ports.clock.now() + ASKED_AGAIN)
                return
        self._deadlines.set(entry.key.uid, self._ports.clock.now())

    async def _surroundings(self, entry: Entry, contract: Contract, known: Known) -> Surroundings:
        return Surroundings(
            settings=self._settings,
            now=self._ports.clock.now(),
            contract_type=await self._contract_type(contract),
            supervisor=self._cache.supervisor(entry.key),
            verdict=entry.verdict,
            recorded_version=self._recorder.recorded_version(entry.key.uid),
            reports=self.reports(entry.key.uid),
            recorded_answers=known.recorded_answers,
            heard=known.heard,
            worked=known.worked,
        )

    async def _contract_type(self, contract: Contract) -> ContractType | None:
        """Read from the API server: a snapshot must not be taken from a cache that lags behind an edit."""
        named = contract.spec.phases is None and contract.spec.type not in BUILTIN_TYPES
        if contract.status is not None or not named:
            return None
        return await self._ports.cluster.contract_type(contract.metadata.namespace, contract.spec.type)

    async def _write(self, entry: Entry, body: JsonObject, contract: Contract, decision: Decision) -> None:
        """Over the object that was decided about, not over a newer one that the watch has seen meanwhile."""
        try:
            if decision.status is not None:
                entry.take(await write_status(self._ports.cluster, body, decision.status))
                self._news.written(entry, contract, decision.status)
            elif decision.refusal is not None:
                entry.take(await write_refusal(self._ports.cluster, body, decision.refusal))
        except Conflict:
            await self._read_again(entry)
            return
        self._news.publish(entry, decision.notices)
        if decision.became_stale:
            self._news.stale(entry)

    async def _read_again(self, entry: Entry) -> None:
        fresh = await self._ports.cluster.contract(entry.key.namespace, entry.key.name)
        if fresh is None or fresh["metadata"]["uid"] != entry.key.uid:
            raise NotFound(f"contract {entry.key} is gone")
        entry.take(fresh)

    async def _rest(self, entry: Entry, body: JsonObject, contract: Contract, decision: Decision) -> None:
        """Nothing to write now: see to the history, the time to live, and the next look."""
        self._news.measure(entry, contract)
        if self._recorder.behind(contract):
            self._news.record(entry, contract)
        if decision.delete:
            await self._expire(entry, contract)
            return
        self._deadlines.set(entry.key.uid, self._next_look(decision))
        self.at_rest(contract, body)

    def _next_look(self, decision: Decision) -> datetime | None:
        """A contract whose time to live is over, but whose history is not recorded yet, is looked at again soon."""
        if decision.wake_at is None:
            return None
        return max(decision.wake_at, self._ports.clock.now() + timedelta(milliseconds=500))

    async def _expire(self, entry: Entry, contract: Contract) -> None:
        self._news.publish(entry, [Notice(EventReason.EXPIRED, "ttlSecondsAfterFinished is over: deleted")])
        await self._ports.cluster.delete_contract(entry.key, contract.metadata.resource_version)

    def _take_verdict(self, entry: Entry) -> None:
        self._news.verdict(entry)
        self.look_again(entry.key.uid)


def _has_begun(decision: Decision) -> bool:
    """Whether it is past Created: two writes make a contract Active, and those are its first step."""
    return decision.status is not None and decision.status.state is not ContractState.CREATED
