"""What Postgres says without being asked: `NOTIFY` with contract ids, and one connection that listens for them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from uuid import UUID
from weakref import WeakSet

import psycopg

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.sql import load
from makima.errors import HistoryUnavailable

LOG = logging.getLogger(__name__)

SUPERVISORS = "makima_supervisors"
COMMANDS = "makima_commands"
EVENTS = "makima_events"
CHANNELS = (SUPERVISORS, COMMANDS)

ANY_CONTRACT = UUID(int=0)
"""Stands for no contract in particular: whoever listens looks by itself for what is new."""

SQL = load("notify")

IDS_IN_A_PAYLOAD = 240
"""33 bytes each; Postgres takes less than 8,000 bytes."""

UNREAD = 100_000
"""Most ids that wait for a slow reader; then the oldest are forgotten, as after a reconnect."""

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before connecting again; twice as long each time, less a random half."""

QUIET_SECONDS = 10.0
"""How long to listen before asking whether the server is still there."""


async def announce(connection: Connection, channel: str, contract_ids: Iterable[UUID]) -> None:
    """Tell the listeners of the channel when this transaction is committed."""
    ids = [f"{contract_id.int:032x}" for contract_id in dict.fromkeys(contract_ids)]
    payloads = [",".join(ids[place : place + IDS_IN_A_PAYLOAD]) for place in range(0, len(ids), IDS_IN_A_PAYLOAD)]
    if payloads:
        await connection.execute(SQL["notify"], {"channel": channel, "payloads": payloads})


class Subscription(AsyncIterator[UUID]):
    """Contract ids as they are announced; one that is announced again before it was read comes once."""

    def __init__(self) -> None:
        self._unread: OrderedDict[UUID, None] = OrderedDict()
        self._changed = asyncio.Event()
        self._ended = False

    def add(self, contract_ids: Iterable[UUID]) -> None:
        """Hand these over."""
        for contract_id in contract_ids:
            self._unread[contract_id] = None
            if len(self._unread) > UNREAD:
                self._unread.popitem(last=False)
        self._changed.set()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._changed.set()

    async def __anext__(self) -> UUID:
        while not self._unread:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._unread.popitem(last=False)[0]


class Notifications:
    """One connection that listens to some channels, made again whenever it is lost."""

    def __init__(self, database: Database, channels: Iterable[str] = CHANNELS) -> None:
        self._database = database
        self._subscriptions: dict[str, WeakSet[Subscription]] = {channel: WeakSet() for channel in channels}
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()
        """Set while the connection listens; what is announced while it is not set is missed."""

    async def open(self) -> None:
        """Start listening; returns at once, also when Postgres is away."""
        self._task = asyncio.create_task(self._listen_for_ever(), name="makima-notifications")

    async def close(self) -> None:
        """Stop listening; every subscription ends."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for subscriptions in self._subscriptions.values():
            for subscription in list(subscriptions):
                subscription.end()

    def subscribe(self, channel: str) -> Subscription:
        """What is announced on the channel from now on, for as long as the subscription is held."""
        subscription = Subscription()
        self._subscriptions[channel].add(subscription)
        return subscription

    async def _listen_for_ever(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                await self._listen()
            except (HistoryUnavailable, psycopg.Error, TimeoutError) as error:
                wait = FIRST_WAIT if self.listening.is_set() else min(wait * 2, LONGEST_WAIT)
                LOG.warning("not listening to Postgres, trying again within %.1f s: %s", wait, error)
            self.listening.clear()
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  # spreads reconnects, hides nothing

    async def _listen(self) -> None:
        """Until the connection is lost, which raises."""
        connection = await self._database.connect()
        try:
            for channel in self._subscriptions:
                await connection.execute(f"LISTEN {channel}".encode())
            self.listening.set()
            while True:
                async for notice in connection.notifies(timeout=QUIET_SECONDS):
                    self._deliver(notice)
                async with asyncio.timeout(self._database.limits.operation):
                    await connection.execute(b"SELECT 1")  # a server that is frozen or cut off says nothing either
        finally:
            await connection.close()

    def _deliver(self, notice: psycopg.Notify) -> None:
        try:
            contract_ids = [UUID(text) for text in notice.payload.split(",")]
        except ValueError:
            return  # anybody may NOTIFY anything
        for subscription in list(self._subscriptions[notice.channel]):
            subscription.add(contract_ids)
