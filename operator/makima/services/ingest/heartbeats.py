"""Heartbeats as calls: who may send them, what they become, and what the answer says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from makima.errors import HistoryUnavailable, Superseded
from makima.models.enums import SupervisorState
from makima.models.supervision import Beat
from makima.models.wire.heartbeat import (
    FUTURE_SECONDS,
    WHOLE_BATCH,
    WHOLE_FRAME,
    BatchAnswer,
    BatchEntry,
    Heartbeat,
    HeartbeatAnswer,
    HeartbeatBatch,
    StreamFrame,
    WholeHeartbeat,
)
from makima.models.wire.problem import Code, Problem
from makima.ports import Clock
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.ingest.group_commit import Ingest
from makima.services.ingest.taken import STORED, Result, Taken
from makima.services.refusals import Refused, refusal, refused_by, superseded
from makima.services.supervisor_calls.command_delivery import CommandDelivery

SAID = itemgetter(*Beat._fields[:-2])
"""What a heartbeat says of itself, in the order of a `Beat`."""

FUTURE = timedelta(seconds=FUTURE_SECONDS)

MADE = tuple.__new__
"""`Beat(…)` without the Python code that a named tuple runs for each."""

STATES = {state.snake: state for state in SupervisorState}

ASKED_AT_ONCE = 64
"""Entries of a batch whose right is asked for at the same time."""

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
class _Found:
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


class Heartbeats:
    """Takes heartbeats, one or many, for callers whose identity is known."""

    def __init__(self, ingest: Ingest, rights: Authorization, commands: CommandDelivery, clock: Clock) -> None:
        self._ingest, self._rights, self._commands, self._clock = ingest, rights, commands, clock

    def turn_away(self) -> None:
        """A call that may have carried heartbeats was refused for want of room."""
        self._ingest.turn_away(1)

    async def one(self, identity: Identity, contract_id: str, body: bytes) -> HeartbeatAnswer:
        """Store one heartbeat.

        Args:
            contract_id: the id in the address, as it was written.
            body: a `Heartbeat` as JSON.

        Raises:
            Refused: what is wrong with it, or UNAVAILABLE.
            pydantic.ValidationError: the body is no heartbeat.
            HistoryUnavailable: Postgres is away.
        """
        call = Heartbeat.model_validate_json(body)
        if str(call.contract_id) != contract_id.lower():
            raise _mismatch(contract_id)
        beat = _beat(call.__dict__, self._clock.now())
        if not self._rights.quick(identity).may(call.contract_id, call.incarnation):
            await self._rights.carrier(identity, call.contract_id, call.incarnation)
        taken = (await self._ingest.put((beat,)))[0]
        problem = _problem(taken, beat)
        if problem is not None:
            raise Refused(problem)
        if call.acknowledged:
            await self._commands.acknowledge(call.contract_id, call.incarnation, call.acknowledged)
        return HeartbeatAnswer.model_construct(
            server_time=beat.received_at,
            result="stored" if taken.result is Result.STORED else "duplicate",
            sequence=call.sequence,
            commands=self._commands.waiting_for(call.contract_id),
        )

    async def many(self, identity: Identity, entries: Entries) -> tuple[BatchAnswer, list[UUID]]:
        """Store all that can be stored; the answer names the rest, and with it come the contracts that were accepted.

        Raises:
            Refused: UNAVAILABLE; nothing is known about any of them.
        """
        now = self._clock.now()
        found = _whole(entries.whole, now) if entries.whole else _one_by_one(entries.unread, now)
        await self._permit(identity, found)
        taken = await self._ingest.put(found.beats) if found.beats else []
        if found.acknowledged:
            await self._acknowledge(found, taken)
        return self._answer(found, taken)

    async def _permit(self, identity: Identity, found: _Found) -> None:
        """Leave out what the caller may not send; most is known, the rest is asked for a bounded number at a time."""
        asked = self._rights.quick(identity).doubtful(found.beats)
        refused: dict[int, tuple[object, Problem]] = {}
        for start in range(0, len(asked), ASKED_AT_ONCE):
            some = [(found.places[at], found.beats[at]) for at in asked[start : start + ASKED_AT_ONCE]]
            rights = (self._rights.carrier(identity, beat.contract_id, beat.incarnation) for _, beat in some)
            answers = await asyncio.gather(*rights, return_exceptions=True)
            for (index, beat), answer in zip(some, answers, strict=True):
                if isinstance(answer, Exception):
                    refused[index] = (beat.contract_id, refused_by(answer).problem)
        found.leave_out(refused)

    async def _acknowledge(self, found: _Found, taken: Sequence[Taken]) -> None:
        """Acknowledgements ride along; one that is lost with Postgres away only means that the command comes again."""
        for index, beat, one in zip(found.places, found.beats, taken, strict=True):
            commands = found.acknowledged.get(index)
            if commands and one.result in (Result.STORED, Result.DUPLICATE):
                try:
                    await self._commands.acknowledge(beat.contract_id, beat.incarnation, commands)
                except (HistoryUnavailable, Superseded):
                    continue

    def _answer(self, found: _Found, taken: list[Taken]) -> tuple[BatchAnswer, list[UUID]]:
        listed = {
            index: BatchEntry(index=index, contract_id=_shown(contract), error=problem)
            for index, (contract, problem) in found.problems.items()
        }
        stored = taken.count(STORED)
        if stored < len(taken) or self._commands.any_waiting():  # most batches have nothing more to be told
            listed |= self._listed(found, taken)
        entries = tuple(listed[index] for index in sorted(listed))
        refused = {entry.index for entry in entries if entry.error is not None}
        beats = zip(found.places, found.beats, strict=True)
        accepted = [beat.contract_id for index, beat in beats if index not in refused]
        now = self._clock.now()
        return BatchAnswer(server_time=now, stored=stored, refused=len(refused), entries=entries), accepted

    def _listed(self, found: _Found, taken: Sequence[Taken]) -> dict[int, BatchEntry]:
        """What is told of heartbeats that reached the ingest, by index."""
        listed: dict[int, BatchEntry] = {}
        for index, beat, one in zip(found.places, found.beats, taken, strict=True):
            problem = _problem(one, beat)
            commands = self._commands.waiting_for(beat.contract_id) if problem is None else ()
            if problem is not None or commands or one.result is Result.DUPLICATE:
                word = None if problem is not None else one.result.value
                contract = str(beat.contract_id)
                listed[index] = BatchEntry(
                    index=index, contract_id=contract, result=word, error=problem, commands=commands
                )
        return listed


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


def _whole(entries: Sequence[WholeHeartbeat], now: datetime) -> _Found:
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
    found = _Found(beats, list(range(len(beats))), acknowledged)
    found.leave_out(_from_the_future_among(beats, now + FUTURE))
    return found


def _from_the_future_among(beats: Sequence[Beat], latest: datetime) -> Problems:
    return {
        index: (beat.contract_id, _from_the_future(beat.sent_at))
        for index, beat in enumerate(beats)
        if beat.sent_at is not None and beat.sent_at > latest
    }


def _one_by_one(entries: Sequence[dict[str, object]], now: datetime) -> _Found:
    found = _Found()
    for index, entry in enumerate(entries):
        try:
            call = Heartbeat.model_validate(entry)
            found.beats.append(_beat(call.__dict__, now))
        except (ValidationError, Refused) as error:
            found.problems[index] = (entry.get("contract_id"), refused_by(error).problem)
            continue
        found.places.append(index)
        if call.acknowledged:
            found.acknowledged[index] = call.acknowledged
    return found


def _beat(values: Mapping[str, Any], now: datetime) -> Beat:
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


def _problem(taken: Taken, beat: Beat) -> Problem | None:
    match taken.result:
        case Result.SUPERSEDED:
            return superseded(taken.current)
        case Result.UNKNOWN:
            return Problem(
                code=Code.SUPERVISOR_NOT_FOUND,
                message=f"task {beat.task_id} does not carry contract {beat.contract_id}",
                field="task_id",
                hint="register again: the Supervisor was deleted and made anew, or never was",
            )
        case Result.LATE:
            return Problem(
                code=Code.CONFLICT,
                message=f"heartbeat {beat.sequence} is older than the last one stored, {taken.last}",
                field="sequence",
                hint="nothing to be done: a newer heartbeat is there",
                details={"last": taken.last},
            )
        case _:
            return None


def _mismatch(contract_id: str) -> Refused:
    return refusal(
        Code.VALIDATION_FAILED,
        f"contract_id: the address names contract {contract_id[:64]}, the body another one",
        field="contract_id",
        hint="both have to be the id that register gave",
    )


def _shown(contract: object) -> str | None:
    return str(contract)[:64] if contract is not None else None
