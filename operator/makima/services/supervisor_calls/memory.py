"""What a supervisor saves: acknowledged once it is committed, refused rather than dropped when Postgres is away."""

from __future__ import annotations

import asyncio
from uuid import UUID

from makima.models.wire.memory import AppendMessages, SaveCheckpoint, Saved, SaveState, checksum
from makima.models.wire.problem import Code
from makima.models.wire.registration import RestoredMessage
from makima.ports import Clock
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.refusals import refusal, unavailable
from makima.stores import MemoryStore

PAGE = 500
"""Most messages of one answer."""

AT_ONCE = 64
"""Saves that are with Postgres or wait for it: each holds megabytes, and none may be dropped."""


class Memory:
    """Saves and gives back."""

    def __init__(self, store: MemoryStore, rights: Authorization, clock: Clock) -> None:
        self._store, self._rights, self._clock = store, rights, clock
        self._room = asyncio.Semaphore(AT_ONCE)

    async def save_state(self, identity: Identity, contract_id: UUID, call: SaveState) -> Saved:
        """Save the state.

        Raises:
            Refused: VALIDATION_FAILED for a checksum that is not the payload's; what `Authorization.carrier` refuses.
            Superseded, OutOfSequence, HistoryUnavailable: see `makima.stores.MemoryStore`.
        """
        session = await self._rights.carrier(identity, contract_id, call.incarnation)
        if session.task_id != call.task_id:
            raise refusal(
                Code.SUPERVISOR_NOT_FOUND,
                f"task {call.task_id} does not carry this contract",
                field="task_id",
                hint="register again: the Supervisor was made anew",
            )
        _check(call.payload, call.checksum)
        self._must_have_room()
        async with self._room:
            return await self._store.save_state(contract_id, call, self._clock.now())

    async def append_messages(self, identity: Identity, contract_id: UUID, call: AppendMessages) -> Saved:
        """Append to the conversation. Raises: as `save_state`."""
        await self._rights.carrier(identity, contract_id, call.incarnation)
        self._must_have_room()
        async with self._room:
            return await self._store.append_messages(contract_id, call, self._clock.now())

    async def save_checkpoint(self, identity: Identity, contract_id: UUID, call: SaveCheckpoint) -> Saved:
        """Save a state to go back to. Raises: as `save_state`."""
        await self._rights.carrier(identity, contract_id, call.incarnation)
        _check(call.payload, call.checksum)
        self._must_have_room()
        async with self._room:
            return await self._store.save_checkpoint(contract_id, call, self._clock.now())

    async def messages(
        self, identity: Identity, contract_id: UUID, after: int, limit: int
    ) -> tuple[RestoredMessage, ...]:
        """The conversation after this sequence, oldest first; fewer than `limit` where they are long.

        Raises:
            Refused: what `Authorization.reader` refuses.
            HistoryUnavailable: Postgres is away.
        """
        await self._rights.reader(identity, contract_id)
        self._must_have_room()
        async with self._room:
            found = await self._store.messages(contract_id, after, min(limit, PAGE))
        return tuple(
            RestoredMessage(id=one.id, role=one.role, content=one.content, timestamp=one.sent_at, sequence=one.sequence)
            for one in found
        )

    def _must_have_room(self) -> None:
        """Refused at once rather than queued: a queue of megabytes would not be flat."""
        if self._room.locked():
            raise unavailable("too many saves wait for Postgres", 1)


def _check(payload: str, said: str) -> None:
    """What was damaged on its way is not stored as if it were whole."""
    if checksum(payload) != said:
        raise refusal(
            Code.VALIDATION_FAILED,
            "checksum: it is not the SHA-256 of payload",
            field="checksum",
            hint="take it over the UTF-8 of payload, as lower-case hex",
        )
