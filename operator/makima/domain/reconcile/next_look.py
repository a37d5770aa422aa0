"""When a contract has to be looked at again although nothing happens, and when its time to live is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from makima.domain.reconcile import outbox
from makima.domain.reconcile.activity import WATCHED, expires_at, heard_status, shown_until, stale_at, stale_look
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.gates import asked_again_at, completion_held_until
from makima.domain.reconcile.states import FINISHED
from makima.domain.supervision.stuck import stuck_at


def as_heard(draft: Draft) -> Draft:
    """The draft as if the resource had every heartbeat."""
    signs = (draft.around.heard, draft.around.worked)
    return replace(draft, status=heard_status(draft.status, signs, draft.now))


def wake_at(draft: Draft) -> datetime | None:
    """The next moment at which time alone may change the decision."""
    validator = asked_again_at(draft.contract.metadata.uid, draft.status, draft.around.verdict, draft.now)
    moments = [validator, expires_at(draft.spec, draft.status)]
    held = completion_held_until(draft.status)
    if held is not None and held > draft.now:
        moments.append(held)
    stuck = stuck_at(draft)
    if stuck is not None and stuck > draft.now:
        moments.append(stuck)
    heard, shown = as_heard(draft).status, shown_until(draft.spec, draft.status, draft.around.settings)
    if heard != draft.status and shown > draft.now and draft.status.state in WATCHED:
        moments.append(shown)
    stale = stale_at(draft.spec, heard, draft.around.settings)
    if stale is not None and stale > draft.now:
        moments.append(stale_look(stale, draft.around.settings))
    return min((moment for moment in moments if moment is not None), default=None)


def expired(draft: Draft) -> bool:
    """Deleted only once every version is in Postgres: a deleted contract takes its outbox with it."""
    moment = expires_at(draft.spec, draft.status)
    recorded = outbox.watermark(draft.status, draft.around.recorded_version)
    return (
        moment is not None
        and draft.now >= moment
        and recorded >= draft.status.version
        and draft.status.state in FINISHED
    )
