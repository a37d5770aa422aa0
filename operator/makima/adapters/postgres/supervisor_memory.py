"""`makima.stores.MemoryStore`: what a supervisor saves, so that another life goes on where it was.

Every write holds the supervisor's row until it is committed (`fenced`, alone): so no older life saves anything after a
newer one has begun, and the last number that a call reads is still the last one when it stores the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import errors
from pydantic import ValidationError

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.fencing import fenced
from makima.adapters.postgres.remembering import read_remembered
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_rows import message_row
from makima.errors import OutOfSequence, ValuesRefused
from makima.models.enums import SupervisorState
from makima.models.supervision import Remembered, StoredMessage
from makima.models.wire.memory import (
    AppendMessages,
    ConversationMessage,
    SaveCheckpoint,
    Saved,
    SavedState,
    SaveState,
)
from makima.models.wire.message import STATE_BYTES

SQL = load("memory")

CHECKPOINTS = 8
"""So many are kept."""


class PostgresMemory:
    """States, messages and checkpoints; see the protocol for what each method means."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_state(self, contract_id: UUID, call: SaveState, at: datetime) -> Saved:
        """Replace the state.

        Raises:
            Superseded: a newer life has begun.
            OutOfSequence: the revision is not the last + 1.
            NotFound: nobody ever carried this contract, or another Supervisor than `call.task_id` does.
            ValuesRefused: the text is not Unicode.
        """
        async with fenced(
            self._database, contract_id, call.incarnation, task_id=call.task_id, alone=True
        ) as connection:
            stored = await _one(connection, SQL["last_revision"], contract_id) or {"last": 0, "checksum": ""}
            if (call.revision, call.checksum) == (stored["last"], stored["checksum"]):
                return Saved(server_time=at, last=call.revision, duplicate=True)
            if call.revision != stored["last"] + 1:
                raise OutOfSequence("revision", stored["last"])
            await connection.execute(SQL["save_state"], _state_columns(contract_id, call, at))
        return Saved(server_time=at, last=call.revision)

    async def append_messages(self, contract_id: UUID, call: AppendMessages, at: datetime) -> Saved:
        """Append those messages that are not there yet.

        Raises:
            Superseded: a newer life has begun.
            OutOfSequence: a gap, or another message has that place, or this one has another place.
            NotFound: nobody ever carried this contract.
            ValuesRefused: a text is not Unicode, or a time beyond the calendar; none of the call is stored.
        """
        async with fenced(self._database, contract_id, call.incarnation, alone=True) as connection:
            stored = await _one(connection, SQL["last_message"], contract_id)
            last = int(stored["last"]) if stored else 0
            fresh = await _not_there_yet(connection, contract_id, call, last)
            if fresh:
                await _append(connection, _message_columns(contract_id, call.incarnation, last, fresh, at))
        return Saved(server_time=at, last=last + len(fresh), duplicate=not fresh)

    async def save_checkpoint(self, contract_id: UUID, call: SaveCheckpoint, at: datetime) -> Saved:
        """Add a checkpoint, and forget all but the newest 8.

        Raises:
            Superseded: a newer life has begun.
            OutOfSequence: the number is not the last + 1, or another checkpoint has it.
            NotFound: nobody ever carried this contract.
            ValuesRefused: the text is not Unicode.
        """
        async with fenced(self._database, contract_id, call.incarnation, alone=True) as connection:
            cursor = await connection.execute(SQL["checkpoint_numbers"], {"contract_id": contract_id})
            known = {row["number"]: row["checksum"] for row in await cursor.fetchall()}
            last = max(known, default=0)
            if known.get(call.number) == call.checksum:
                return Saved(server_time=at, last=last, duplicate=True)
            if call.number != last + 1:
                raise OutOfSequence("checkpoint", last)
            values = {**call.model_dump(), "contract_id": contract_id, "at": at, "kept": CHECKPOINTS}
            await connection.execute(SQL["save_checkpoint"], values)
            await connection.execute(SQL["forget_checkpoints"], values)
        return Saved(server_time=at, last=call.number)

    async def remembered(self, contract_id: UUID, messages: int, size: int = STATE_BYTES) -> Remembered:
        """Everything a restoration decides on, read in one snapshot; at most so many messages (bytes) from the end."""
        return await read_remembered(self._database, contract_id, messages, size)

    async def worked(self, contract_id: UUID) -> datetime | None:
        """When a message or a state was saved last."""
        (row,) = await self._database.rows(SQL["worked"], {"contract_id": contract_id})
        found: datetime | None = row["at"]
        return found

    async def messages(
        self, contract_id: UUID, after: int, limit: int, size: int = STATE_BYTES
    ) -> Sequence[StoredMessage]:
        """The conversation after this sequence, oldest first: at most so many messages (bytes), one in any case."""
        page = {"contract_id": contract_id, "after": after, "limit": limit, "size": size}
        return [message_row(row) for row in await self._database.rows(SQL["messages_after"], page)]


async def _one(connection: Connection, query: bytes, contract_id: UUID) -> dict[str, Any] | None:
    return await (await connection.execute(query, {"contract_id": contract_id})).fetchone()


async def _not_there_yet(
    connection: Connection, contract_id: UUID, call: AppendMessages, last: int
) -> tuple[ConversationMessage, ...]:
    """The part of the call that comes after what is stored; the part before it has to be what is stored."""
    overlap = last + 1 - call.first_sequence
    if overlap < 0:
        raise OutOfSequence("message", last)
    if overlap == 0:
        return call.messages
    places = {"contract_id": contract_id, "first": call.first_sequence, "last": last}
    places["last"] = min(last, call.first_sequence + len(call.messages) - 1)
    cursor = await connection.execute(SQL["ids_at"], places)
    stored = {row["sequence"]: row["id"] for row in await cursor.fetchall()}
    for sequence, message in enumerate(call.messages[:overlap], call.first_sequence):
        if stored.get(sequence) != message.id:
            raise OutOfSequence("message", last)
    return call.messages[overlap:]


async def _append(connection: Connection, columns: Mapping[str, Any]) -> None:
    try:
        await connection.execute(SQL["append"], columns)
    except errors.UniqueViolation as error:  # an id of the call is stored at another place, or twice in the call
        raise OutOfSequence("message", columns["first"] - 1) from error


def _message_columns(
    contract_id: UUID, incarnation: int, last: int, messages: Sequence[ConversationMessage], at: datetime
) -> dict[str, Any]:
    return {
        "contract_id": contract_id,
        "incarnation": incarnation,
        "first": last + 1,
        "ids": [message.id for message in messages],
        "roles": [message.role for message in messages],
        "contents": [message.content for message in messages],
        "sent": [_utc(message.timestamp) for message in messages],
        "at": at,
    }


def _utc(moment: datetime | None) -> datetime | None:
    """In UTC, as it will be read again."""
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValuesRefused(f"the time {moment} is outside of the calendar") from error


def _state_columns(contract_id: UUID, call: SaveState, at: datetime) -> dict[str, Any]:
    """The text as it came; what can be read of it stands beside it, for whoever looks at the table."""
    columns: dict[str, Any] = {"contract_id": contract_id, "task_id": call.task_id, "at": at}
    columns |= {"incarnation": call.incarnation, "revision": call.revision}
    columns |= {"payload": call.payload, "checksum": call.checksum}
    return columns | _readable_part(call.payload)


def _readable_part(payload: str) -> dict[str, Any]:
    try:
        state = SavedState.model_validate_json(payload)
    except ValidationError:  # the restoration will say so; it is saved as it came
        unread: dict[str, Any] = dict.fromkeys(("phase", "current_activity", "error"))
        return unread | {"state": SupervisorState.INITIALIZING.snake, "progress": 0, "spawned": [], "waiting_on": []}
    return {
        "state": state.state.snake,
        "phase": state.phase,
        "current_activity": state.current_activity,
        "progress": state.progress,
        "error": state.error,
        "spawned": list(state.spawned_task_ids),
        "waiting_on": list(state.waiting_on_task_ids),
    }
