"""What a call says: JSON becomes heartbeats for the ingest, and each bad one a problem with its index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from makima.models.enums import SupervisorState
from makima.models.supervision import Beat
from makima.models.wire.heartbeat import (
    FUTURE_SECONDS,
    WHOLE_BATCH,
    WHOLE_FRAME,
    Heartbeat,
    HeartbeatBatch,
    StreamFrame,
    WholeHeartbeat,
)
from makima.models.wire.problem import Code, Problem
from makima.services.refusals import Refused, refused_by

SAID = itemgetter(*Beat._fields[:-2])
"""What a heartbeat says of itself, in the order of a `Beat`."""

FUTURE = timedelta(seconds=FUTURE_SECONDS)

MADE = tuple.__new__
"""`Beat(…)` without the Python code that a named tuple runs for each."""

STATES = {state.snake: state for state in SupervisorState}

Problems = Mapping[int, tuple[object, Problem]]
"""What is wrong with entries, by index; with the contract that each named."""


@dataclass(frozen=True, slots=True)
class Entries:
    """What a batch or a frame has in it, one or the other.

    Attributes:
        whole: heartbeats, all of them right.
        unread: JSON objects that are perhaps no heartbeats.
    """

    whole: Sequence[WholeHeartbeat] = ()
    unread: Sequence[dict[str, object]] = ()


@dataclass(slots=True)
class Found:
    """A batch on its way: what goes to the ingest, and what is refused.

    Attributes:
        places: index of each of the beats in the batch.
        acknowledged: commands, by index; few heartbeats have any.
    """

    beats: list[Beat] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    acknowledged: dict[int, tuple[UUID, ...]] = field(default_factory=dict)
    problems: dict[int, tuple[object, Problem]] = field(default_factory=dict)

    def leave_out(self, problems: Problems) -> None:
        """These are refused, and go no further."""
        if problems:
            kept = [(index, beat) for index, beat in zip(self.places, self.beats, strict=True) if index not in problems]
            self.places, self.beats = [index for index, _ in kept], [beat for _, beat in kept]
            self.problems |= problems


def read_batch(body: bytes | str) -> Entries:
    """The entries of a `HeartbeatBatch`; each bad one is left for `Heartbeats.many` to name.

    Raises:
        pydantic.ValidationError: it is no batch at all.
    """
    try:
        return Entries(whole=WHOLE_BATCH.validate_json(body)["heartbeats"])
    except ValidationError:
        return Entries(unread=HeartbeatBatch.model_validate_json(body).heartbeats)


def read_frame(text: bytes | str) -> tuple[int, Entries]:
    """The same for a `StreamFrame`, with its number."""
    try:
        whole = WHOLE_FRAME.validate_json(text)
    except ValidationError:
        frame = StreamFrame.model_validate_json(text)
        return frame.frame, Entries(unread=frame.heartbeats)
    return whole["frame"], Entries(whole=whole["heartbeats"])


def whole_batch(entries: Sequence[WholeHeartbeat], now: datetime) -> Found:
    """All at once; what few of them have is looked for afterwards."""
    beats = [
        MADE(
            Beat,
            (
                entry["contract_id"],
                entry["task_id"],
                entry["incarnation"],
                entry["sequence"],
                STATES[entry["state"]],
                entry["phase"],
                entry["current_activity"],
                entry["progress"],
                entry["pending_task_ids"],
                now,
                entry["timestamp"],
            ),
        )
        for entry in entries
    ]
    acknowledged = {index: entry["acknowledged"] for index, entry in enumerate(entries) if entry["acknowledged"]}
    found = Found(beats, list(range(len(beats))), acknowledged)
    found.leave_out(_from_the_future_among(beats, now + FUTURE))
    return found


def _from_the_future_among(beats: Sequence[Beat], latest: datetime) -> Problems:
    return {
        index: (beat.contract_id, _from_the_future(beat.sent_at))
        for index, beat in enumerate(beats)
        if beat.sent_at is not None and beat.sent_at > latest
    }


def one_by_one(entries: Sequence[dict[str, object]], now: datetime) -> Found:
    """Where not all of them are right: each bad one is named, and costs none of the others."""
    found = Found()
    for index, entry in enumerate(entries):
        try:
            call = Heartbeat.model_validate(entry)
            found.beats.append(beat_of(call.__dict__, now))
        except (ValidationError, Refused) as error:
            found.problems[index] = (entry.get("contract_id"), refused_by(error).problem)
            continue
        found.places.append(index)
        if call.acknowledged:
            found.acknowledged[index] = call.acknowledged
    return found


def beat_of(values: Mapping[str, Any], now: datetime) -> Beat:
    """Of a `Heartbeat`'s values: a model looks up each attribute in Python first.

    Raises:
        Refused: it comes from the future.
    """
    sent: datetime | None = values["timestamp"]
    if sent is not None and sent > now + FUTURE:
        raise Refused(_from_the_future(sent))
    return Beat._make((*SAID(values), now, sent))


def _from_the_future(sent: datetime) -> Problem:
    return Problem(
        code=Code.VALIDATION_FAILED,
        message=f"timestamp: {sent.isoformat()} is more than {FUTURE_SECONDS} s ahead of the server's clock",
        field="timestamp",
        hint="set the supervisor's clock, or leave timestamp out",
    )
