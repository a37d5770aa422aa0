"""Who is told of what became of a contract: the history, Events, metrics, the log."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.reconcile.history import stale_event
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.ports import Clock, EventSink, Metrics
from makima.services.reconcile.contract_cache import Entry
from makima.services.reconcile.recorder import HistoryRecorder

log = logging.getLogger(__name__)


class ContractNews:
    """Tells them, and waits for none of them."""

    def __init__(self, recorder: HistoryRecorder, events: EventSink, metrics: Metrics, clock: Clock) -> None:
        self._recorder, self._events, self._metrics, self._clock = recorder, events, metrics, clock

    def publish(self, entry: Entry, notices: Sequence[Notice]) -> None:
        """Events about the contract as it is now."""
        if notices:
            body = entry.body  # made anew each time
            for notice in notices:
                self._events.publish(body, notice, self._clock.now())

    def written(self, entry: Entry, before: Contract, status: ContractStatus) -> None:
        """A status was written over the contract `before`."""
        contract = Contract.from_object(entry.body)
        log.info("contract %s: %s", entry.key, _headline(status), extra=_fields(entry, status))
        self.record(entry, contract)
        self._count(before.status, status)
        self.measure(entry, contract)

    def _count(self, before: ContractStatus | None, after: ContractStatus) -> None:
        if before is None:
            return
        if before.phase != after.phase:
            self._metrics.phase_transition(before.phase, after.phase)
        if before.completion_detected_time is None and after.completion_detected_time is not None:
            self._metrics.completion_detected()

    def record(self, entry: Entry, contract: Contract) -> None:
        """Have its versions recorded."""
        self._recorder.submit(contract)
        if entry.gone:  # deleted while it was written: recording it brought it back to life there
            self._recorder.gone([entry.key.uid])

    def measure(self, entry: Entry, contract: Contract) -> None:
        """Count it by its state."""
        if contract.status is not None and not entry.gone:
            stale = any(c.type == "Stale" and c.status == "True" for c in contract.status.conditions)
            self._metrics.contract_state(contract.metadata.uid, contract.status.state.snake, stale)

    def stale(self, entry: Entry) -> None:
        """It was found to be stale, which is an event without a version."""
        contract = Contract.from_object(entry.body)
        if contract.status is not None:
            self._recorder.add_event(stale_event(contract, contract.status))

    def verdict(self, entry: Entry) -> None:
        """Where its validator failed, an Event says why."""
        if entry.verdict is not None and entry.verdict.failed:
            text = "; ".join(entry.verdict.missing) or "the validator failed and is ignored (failurePolicy Ignore)"
            self.publish(entry, [Notice(EventReason.VALIDATOR_FAILED, text, warning=True)])


def _headline(status: ContractStatus) -> str:
    last = status.transitions[-1] if status.transitions else None
    reason = f" ({last.reason})" if last is not None and last.version == status.version else ""
    return f"{status.state} in {status.phase}, version {status.version}{reason}"


def _fields(entry: Entry, status: ContractStatus) -> dict[str, str | int]:
    return {
        "namespace": entry.key.namespace,
        "contract": entry.key.name,
        "uid": entry.key.uid,
        "state": status.state.value,
        "phase": status.phase,
        "version": status.version,
    }
