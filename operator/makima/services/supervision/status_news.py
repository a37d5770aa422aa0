"""What is told once a supervisor's status is written: Events about it, and what is counted."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.supervision.steps import WriteStatus
from makima.models.supervisor import SupervisorStatus
from makima.ports import EventSink
from makima.services.supervision.supervisor_cache import Carrier


class SupervisionMetrics(Protocol):
    """What is counted of supervisors."""

    def supervisor_restarted(self, reason: str) -> None:
        """One more `supervisor_restarts_total`."""
        ...

    def supervisor_restored(self, outcome: str) -> None:
        """One more `supervisor_restorations_total`."""
        ...

    def supervisor_given_up(self) -> None:
        """One more `supervisor_restart_budgets_spent_total`."""
        ...


class StatusNews:
    """Tells what is new in a status against the one before."""

    def __init__(self, events: EventSink, metrics: SupervisionMetrics) -> None:
        self._events, self._metrics = events, metrics

    def tell(self, carrier: Carrier, before: SupervisorStatus | None, step: WriteStatus, now: datetime) -> None:
        """The status of this step is written."""
        if step.restarted is not None:
            self._metrics.supervisor_restarted(step.restarted)
        if step.notice is not None and step.notice.reason is EventReason.SUPERVISOR_GIVEN_UP:
            self._metrics.supervisor_given_up()
        self._restored(carrier, before, step.status, now)
        if step.notice is not None:
            self._events.publish(carrier.body or {}, step.notice, now)

    def _restored(
        self, carrier: Carrier, before: SupervisorStatus | None, after: SupervisorStatus, now: datetime
    ) -> None:
        """A life said how it came back, where it had not said so before."""
        restored = after.restoration
        known = before.restoration if before is not None else None
        if restored is None or (known is not None and known.time == restored.time):
            return
        self._metrics.supervisor_restored(restored.outcome.snake)
        text = f"{restored.outcome}: {restored.message or ''}"
        self._events.publish(carrier.body or {}, Notice(EventReason.SUPERVISOR_RESTORED, text), now)
