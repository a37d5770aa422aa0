"""Heartbeats as calls: who may send them, what they become, and what the answer says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from uuid import UUID

from pydantic import ValidationError

from makima.errors import HistoryUnavailable, Superseded
from makima.models.supervision import Beat
from makima.models.wire.heartbeat import (
    FUTURE_SECONDS,
    BatchAnswer,
    BatchEntry,
    Heartbeat,
    HeartbeatAnswer,
    HeartbeatBatch,
    StreamFrame,
    WholeBatch,
    WholeFrame,
)
from makima.models.wire.problem import Code, Problem
from makima.ports import Clock
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.ingest.group_commit import Ingest
from makima.services.ingest.taken import Result, Taken
from makima.services.refusals import Refused, refusal, refused_by, superseded
from makima.services.supervisor_calls.command_delivery import CommandDelivery

SAID = itemgetter(*Beat._fields[:-2])
"""What a heartbeat says of itself, in the order of a `Beat`."""

FUTURE = timedelta(seconds=FUTURE_SECONDS)

Entry = Heartbeat | dict[str, object]
"""An entry of a batch: a heartbeat, or what was found in the place of one."""

ASKED_AT_ONCE = 64
"""Entries of a batch whose right is asked for at the same time."""


@dataclass(slots=True)
class _Entries:
    """A batch on its way: what is refused by index, and what goes to the ingest."""

    problems: dict[int, tuple[object, Problem]] = field(default_factory=dict)
    calls: list[tuple[int, Heartbeat, Beat]] = field(default_factory=list)


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
        beat = _beat(call, self._clock.now())
        if not self._rights.quick(identity).may(call.contract_id, call.incarnation):
            await self._rights.carrier(identity, call.contract_id, call.incarnation)
        taken = (await self._ingest.put((beat,)))[0]
        problem = _problem(taken, call)
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

    async def many(self, identity: Identity, entries: Sequence[Entry]) -> tuple[BatchAnswer, list[UUID]]:
        """Store all that can be stored; the answer names the rest, and with it come the contracts that were accepted.

        Args:
            entries: heartbeats, or JSON objects that are perhaps none.

        Raises:
            Refused: UNAVAILABLE; nothing is known about any of them.
        """
        found, now = _Entries(), self._clock.now()
        _read(found, entries, now)
        await self._permit(identity, found)
        beats = [beat for _, _, beat in found.calls]
        taken = await self._ingest.put(beats) if beats else []
        await self._acknowledge(found, taken)
        return self._answer(found, taken)

    async def _permit(self, identity: Identity, found: _Entries) -> None:
        """Leave out what the caller may not send; most is known, the rest is asked for a bounded number at a time."""
        may = self._rights.quick(identity).may
        asked = [one for one in found.calls if not may(one[1].contract_id, one[1].incarnation)]
        if not asked:
            return
        refused: set[int] = set()
        for start in range(0, len(asked), ASKED_AT_ONCE):
            some = asked[start : start + ASKED_AT_ONCE]
            rights = (self._rights.carrier(identity, call.contract_id, call.incarnation) for _, call, _ in some)
            for (index, call, _), answer in zip(
                some, await asyncio.gather(*rights, return_exceptions=True), strict=True
            ):
                if isinstance(answer, Exception):
                    found.problems[index] = (call.contract_id, refused_by(answer).problem)
                    refused.add(index)
        found.calls = [one for one in found.calls if one[0] not in refused]

    async def _acknowledge(self, found: _Entries, taken: Sequence[Taken]) -> None:
        """Acknowledgements ride along; one that is lost with Postgres away only means that the command comes again."""
        for (_, call, _), one in zip(found.calls, taken, strict=True):
            if call.acknowledged and one.result in (Result.STORED, Result.DUPLICATE):
                try:
                    await self._commands.acknowledge(call.contract_id, call.incarnation, call.acknowledged)
                except (HistoryUnavailable, Superseded):
                    continue

    def _answer(self, found: _Entries, taken: Sequence[Taken]) -> tuple[BatchAnswer, list[UUID]]:
        listed = {
            index: BatchEntry(index=index, contract_id=_shown(contract), error=problem)
            for index, (contract, problem) in found.problems.items()
        }
        stored = sum([one.result is Result.STORED for one in taken])
        if stored < len(taken) or self._commands.any_waiting():  # most batches have nothing more to be told
            listed |= self._listed(found, taken)
        entries = tuple(listed[index] for index in sorted(listed))
        refused = {entry.index for entry in entries if entry.error is not None}
        accepted = [beat.contract_id for index, _, beat in found.calls if index not in refused]
        now = self._clock.now()
        return BatchAnswer(server_time=now, stored=stored, refused=len(refused), entries=entries), accepted

    def _listed(self, found: _Entries, taken: Sequence[Taken]) -> dict[int, BatchEntry]:
        """What is told of heartbeats that reached the ingest, by index."""
        listed: dict[int, BatchEntry] = {}
        for (index, call, _), one in zip(found.calls, taken, strict=True):
            problem = _problem(one, call)
            commands = self._commands.waiting_for(call.contract_id) if problem is None else ()
            if problem is not None or commands or one.result is Result.DUPLICATE:
                word = None if problem is not None else one.result.value
                contract = str(call.contract_id)
                listed[index] = BatchEntry(
                    index=index, contract_id=contract, result=word, error=problem, commands=commands
                )
        return listed


def read_batch(body: bytes | str) -> Sequence[Entry]:
    """The entries of a `HeartbeatBatch`; each bad one is left for `Heartbeats.many` to name.

    Raises:
        pydantic.ValidationError: it is no batch at all.
    """
    try:
        return WholeBatch.model_validate_json(body).heartbeats
    except ValidationError:
        return HeartbeatBatch.model_validate_json(body).heartbeats


def read_frame(text: bytes | str) -> tuple[int, Sequence[Entry]]:
    """The same for a `StreamFrame`, with its number."""
    frame: WholeFrame | StreamFrame
    try:
        frame = WholeFrame.model_validate_json(text)
    except ValidationError:
        frame = StreamFrame.model_validate_json(text)
    return frame.frame, frame.heartbeats


def _read(found: _Entries, entries: Sequence[Entry], now: datetime) -> None:
    for index, entry in enumerate(entries):
        try:
            call = entry if isinstance(entry, Heartbeat) else Heartbeat.model_validate(entry)
            found.calls.append((index, call, _beat(call, now)))
        except (ValidationError, Refused) as error:
            found.problems[index] = (_named(entry), refused_by(error).problem)


def _beat(call: Heartbeat, now: datetime) -> Beat:
    values = call.__dict__  # a model looks up each attribute in Python first
    sent: datetime | None = values["timestamp"]
    if sent is not None and sent > now + FUTURE:
        raise refusal(
            Code.VALIDATION_FAILED,
            f"timestamp: {sent.isoformat()} is more than {FUTURE_SECONDS} s ahead of the server's clock",
            field="timestamp",
            hint="set the supervisor's clock, or leave timestamp out",
        )
    return Beat._make((*SAID(values), now, sent))


def _problem(taken: Taken, call: Heartbeat) -> Problem | None:
    match taken.result:
        case Result.SUPERSEDED:
            return superseded(taken.current)
        case Result.UNKNOWN:
            return Problem(
                code=Code.SUPERVISOR_NOT_FOUND,
                message=f"task {call.task_id} does not carry contract {call.contract_id}",
                field="task_id",
                hint="register again: the Supervisor was deleted and made anew, or never was",
            )
        case Result.LATE:
            return Problem(
                code=Code.CONFLICT,
                message=f"heartbeat {call.sequence} is older than the last one stored, {taken.last}",
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


def _named(entry: Entry) -> object:
    """Which contract an entry is about, as far as it says."""
    return entry.contract_id if isinstance(entry, Heartbeat) else entry.get("contract_id")


def _shown(contract: object) -> str | None:
    return str(contract)[:64] if contract is not None else None
