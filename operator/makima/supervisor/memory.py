"""Saving: messages in order, states by revision, checkpoints by number; each once, however often it had to be sent.

What was sent and not answered may be stored or not. So it is sent again, unchanged, before what comes after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from makima.models.wire.memory import (
    MESSAGES,
    AppendMessages,
    ConversationMessage,
    SaveCheckpoint,
    Saved,
    SaveState,
    checksum,
)
from makima.models.wire.registration import Registered
from makima.supervisor.picture import Picture
from makima.supervisor.transport import Transport

BATCH_CHARACTERS = 512 * 1024
"""Characters of one call's messages: with every escape of JSON still below the largest body."""

Call = AppendMessages | SaveState | SaveCheckpoint


class Memory:
    """What Postgres has of this supervisor, seen from here.

    Attributes:
        message_sequence: place of the last message that is known to be stored.
    """

    def __init__(self, transport: Transport, path: str, life: Registered, picture: Picture) -> None:
        self._transport = transport
        self._path = path
        self._life = life
        self._picture = picture
        self._lock = asyncio.Lock()
        self._waiting: list[ConversationMessage] = []
        self._unanswered: tuple[str, str, Call] | None = None
        restoration = life.restoration
        self.message_sequence = restoration.message_sequence
        self._revision = restoration.revision
        self._checkpoint = restoration.checkpoint
        self._known = {message.id for message in restoration.messages}
        self._last_saved: dict[str, object] | None = None

    async def remember(self, messages: Sequence[ConversationMessage], *, deadline: float) -> None:
        """Append messages, and save the state with them. Those whose ids are known are left out.

        Raises:
            makima.supervisor.errors.Unreachable: not answered in time; they are kept, and go with the next call.
        """
        new = [message for message in messages if message.id not in self._known]
        self._known.update(message.id for message in new)
        self._waiting += new
        await self.save(deadline=deadline)

    async def save(self, *, deadline: float, light: bool = False) -> None:
        """Save the state as it is now; `light`: only if something changed since the last time."""
        async with self._lock:
            await self._flush(deadline)
            now = datetime.now(UTC)
            state = self._picture.saved(now, self.message_sequence)
            content = state.model_dump(exclude={"saved_at"})
            if light and content == self._last_saved:
                return
            payload = state.model_dump_json()
            call = SaveState(
                incarnation=self._life.incarnation,
                task_id=self._life.task_id,
                revision=self._revision + 1,
                payload=payload,
                checksum=checksum(payload),
            )
            await self._send("PUT", "/state", call, deadline)
            self._last_saved = content

    async def checkpoint(self, *, deadline: float) -> int:
        """Keep the state as it is now, to go back to; gives its number."""
        async with self._lock:
            await self._flush(deadline)
            payload = self._picture.saved(datetime.now(UTC), self.message_sequence).model_dump_json()
            call = SaveCheckpoint(
                incarnation=self._life.incarnation,
                number=self._checkpoint + 1,
                message_sequence=self.message_sequence,
                payload=payload,
                checksum=checksum(payload),
            )
            await self._send("POST", "/checkpoints", call, deadline)
            return self._checkpoint

    def knows(self, message: UUID) -> bool:
        """Whether this message was appended, by this life or among those that the restoration showed."""
        return message in self._known

    async def _flush(self, deadline: float) -> None:
        if self._unanswered is not None:
            method, path, call = self._unanswered
            await self._send(method, path, call, deadline)
        while self._waiting:
            batch = _batch(self._waiting)
            call = AppendMessages(
                incarnation=self._life.incarnation, first_sequence=self.message_sequence + 1, messages=tuple(batch)
            )
            del self._waiting[: len(batch)]
            await self._send("POST", "/messages", call, deadline)

    async def _send(self, method: str, path: str, call: Call, deadline: float) -> None:
        self._unanswered = (method, path, call)
        await self._transport.call(method, self._path + path, Saved, body=call, deadline=deadline)
        self._unanswered = None
        match call:
            case SaveState():
                self._revision = call.revision
            case SaveCheckpoint():
                self._checkpoint = call.number
            case AppendMessages():
                self.message_sequence = call.first_sequence + len(call.messages) - 1


def _batch(messages: Sequence[ConversationMessage]) -> list[ConversationMessage]:
    batch: list[ConversationMessage] = []
    room = BATCH_CHARACTERS
    for message in messages[:MESSAGES]:
        room -= len(message.content)
        if batch and room < 0:
            break
        batch.append(message)
    return batch
