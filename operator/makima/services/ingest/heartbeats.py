"""Heartbeats as calls: who may send them, what is stored, and that nothing is answered before it is.

What a call says is read in `heartbeat_reading`, and what is wrong with one is told by `heartbeat_answers`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from makima.errors import HistoryUnavailable, Superseded
from makima.models.wire.heartbeat import BatchAnswer, Heartbeat, HeartbeatAnswer
from makima.models.wire.problem import Code, Problem
from makima.ports import Clock
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.ingest.group_commit import Ingest
from makima.services.ingest.heartbeat_answers import batch_answer, problem_of
from makima.services.ingest.heartbeat_reading import Entries, Found, beat_of, one_by_one, whole_batch
from makima.services.ingest.taken import Result, Taken
from makima.services.refusals import Refused, refusal, refused_by
from makima.services.supervisor_calls.command_delivery import CommandDelivery

ASKED_AT_ONCE = 64
"""Entries of a batch whose right is asked for at the same time."""


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
        beat = beat_of(call.__dict__, self._clock.now())
        if not self._rights.quick(identity).may(call.contract_id, call.incarnation):
            await self._rights.carrier(identity, call.contract_id, call.incarnation)
        taken = (await self._ingest.put((beat,)))[0]
        problem = problem_of(taken, beat)
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
        found = whole_batch(entries.whole, now) if entries.whole else one_by_one(entries.unread, now)
        await self._permit(identity, found)
        taken = await self._ingest.put(found.beats) if found.beats else []
        if found.acknowledged:
            await self._acknowledge(found, taken)
        return batch_answer(found, taken, self._commands, self._clock.now())

    async def _permit(self, identity: Identity, found: Found) -> None:
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

    async def _acknowledge(self, found: Found, taken: Sequence[Taken]) -> None:
        """Acknowledgements ride along; one that is lost with Postgres away only means that the command comes again."""
        for index, beat, one in zip(found.places, found.beats, taken, strict=True):
            commands = found.acknowledged.get(index)
            if commands and one.result in (Result.STORED, Result.DUPLICATE):
                try:
                    await self._commands.acknowledge(beat.contract_id, beat.incarnation, commands)
                except (HistoryUnavailable, Superseded):
                    continue


def _mismatch(contract_id: str) -> Refused:
    return refusal(
        Code.VALIDATION_FAILED,
        f"contract_id: the address names contract {contract_id[:64]}, the body another one",
        field="contract_id",
        hint="both have to be the id that register gave",
    )
