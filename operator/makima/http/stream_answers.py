"""What goes out on a stream, as text: the answer to a frame, commands that are pushed, and why one was refused."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import Any

from makima.models.wire.heartbeat import BatchAnswer, BatchEntry, StreamAnswer
from makima.models.wire.problem import ErrorEnvelope, Problem


class StreamFailed(ErrorEnvelope):
    """The answer to a frame that could not be taken at all; `frame` 0 where its number could not be read."""

    frame: int = 0


def answered(frame: int, answer: BatchAnswer) -> str:
    """The answer to a frame."""
    whole: dict[str, Any] = {name: getattr(answer, name) for name in BatchAnswer.model_fields}
    return StreamAnswer.model_construct(frame=frame, **whole).model_dump_json(exclude_none=True)


def pushed(now: datetime, entry: BatchEntry) -> str:
    """Commands for one supervisor, which no frame asked for."""
    return StreamAnswer(frame=0, server_time=now, stored=0, refused=0, entries=(entry,)).model_dump_json(
        exclude_none=True
    )


def failed(text: str | bytes, problem: Problem) -> str:
    """An error envelope with the frame's number, where that can be read."""
    number = 0
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        number = found.get("frame", 0) if isinstance(found, dict) else 0
    envelope = StreamFailed(error=problem, frame=number if isinstance(number, int) else 0)
    return envelope.model_dump_json(exclude_none=True)
