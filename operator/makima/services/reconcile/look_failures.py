"""What follows when a look at a contract fails: who is told, and when it is looked at again."""

from __future__ import annotations

import logging
from datetime import timedelta

from pydantic import ValidationError

from makima.domain.backoff import retry_delay
from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.errors import ClusterError, ClusterUnavailable, Conflict, Denied, NotFound
from makima.ports import Clock, EventSink
from makima.services.control_loop.deadline_index import DeadlineIndex
from makima.services.reconcile.contract_cache import Entry

log = logging.getLogger(__name__)


class LookFailures:
    """Each failure becomes a later look; the more in a row, the later."""

    def __init__(self, events: EventSink, clock: Clock, deadlines: DeadlineIndex) -> None:
        self._events, self._clock, self._deadlines = events, clock, deadlines

    def unreadable(self, entry: Entry, error: ValidationError) -> None:
        """The object is none that this operator understands."""
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        text = f"{where}: {first['msg']}; the contract is left alone until this is mended"
        log.error("contract %s: unreadable: %s", entry.key, text)
        notice = Notice(EventReason.STATUS_UNREADABLE, text, warning=True)
        self._events.publish(entry.body, notice, self._clock.now())
        self._later(entry, error)

    def failed(self, entry: Entry, error: ClusterError) -> None:
        """The API server refused something, or did not answer."""
        if isinstance(error, NotFound):
            return  # the watch says so too, and forgets it
        if isinstance(error, Denied):
            log.error("contract %s: write refused: %s", entry.key, error)
            notice = Notice(EventReason.WRITE_DENIED, str(error), warning=True)
            self._events.publish(entry.body, notice, self._clock.now())
        else:
            log.warning("contract %s: %s", entry.key, error)
        self._later(entry, error)

    def unexpected(self, entry: Entry, error: Exception) -> None:
        """A bug, which must not stop the other contracts: it is logged whole."""
        log.error("contract %s: unexpected error", entry.key, exc_info=error, extra={"contract": str(entry.key)})
        self._later(entry, error)

    def _later(self, entry: Entry, error: Exception) -> None:
        soon = isinstance(error, (Conflict, ClusterUnavailable))
        entry.failures += 1
        delay = retry_delay(entry.failures, longest=30.0 if soon else 300.0)
        self._deadlines.set(entry.key.uid, self._clock.now() + timedelta(seconds=delay))
