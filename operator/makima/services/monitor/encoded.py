"""Frames as text: each is encoded once, however many clients get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from makima.domain.monitor.frames import HEARTBEAT, Subject, frame_of, shown_status, subject_of
from makima.models.history import StoredEvent
from makima.models.supervision import LiveBeat
from makima.models.wire.monitor import HeartbeatFrame, Missed, MonitorFilter, MonitorFrame, Subscribed
from makima.models.wire.problem import ErrorEnvelope, Problem

HINT = "ask again with after = from_seq - 1 for what was stored; read faster, or ask for less"
HEARTBEATS_HINT = "heartbeats do not come again; read faster, or ask for less"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A frame on its way to clients.

    Attributes:
        seq: place in the stream from which a client can go on; None for what has none.
        size: bytes of `text` in UTF-8.
    """

    text: str
    size: int
    seq: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Something that happened, with what filters look at."""

    frame: Frame
    subject: Subject
    at: datetime

    @property
    def seq(self) -> int:
        """Its number; 0 for a heartbeat, which has none."""
        return self.frame.seq or 0


def told(stored: StoredEvent, *, enhanced: bool) -> Told:
    """A stored event."""
    return Told(
        _frame(frame_of(stored, enhanced=enhanced), stored.seq), subject_of(stored, enhanced=enhanced), stored.event.at
    )


def told_beat(beat: LiveBeat, *, enhanced: bool) -> Told:
    """A heartbeat."""
    status = shown_status(beat.status, enhanced=enhanced) if beat.status is not None else None
    frame = HeartbeatFrame(
        at=beat.at,
        contract_id=beat.contract_id,
        namespace=beat.namespace,
        name=beat.name,
        contract_status=status,
        state=beat.state,
        activity=beat.current_activity,
        progress=beat.progress,
        phase=beat.phase,
        incarnation=beat.incarnation,
    )
    statuses = frozenset({status} if status is not None else ())
    return Told(_frame(frame, None), Subject(HEARTBEAT, beat.contract_id, beat.namespace, statuses), beat.at)


def subscribed(seq: int, wanted: MonitorFilter) -> Frame:
    """The filter holds from here on."""
    return _frame(Subscribed(seq=seq, filter=wanted), seq)


def missed(first: int | None, last: int | None, heartbeats: int) -> Frame:
    """What a slow client did not get. It carries no place: a client that comes back gets what was stored."""
    hint = HINT if first is not None else HEARTBEATS_HINT
    return _frame(Missed(from_seq=first, to_seq=last, heartbeats=heartbeats, hint=hint), None)


def failed(problem: Problem) -> Frame:
    """An error in the usual envelope."""
    return _frame(ErrorEnvelope(error=problem), None)


def _frame(model: MonitorFrame | ErrorEnvelope, seq: int | None) -> Frame:
    text = model.model_dump_json(exclude_none=True)
    return Frame(text, len(text) if text.isascii() else len(text.encode()), seq)
