"""One client of the live monitor: its filter, what it may see, and how it gets to where the tail is.

While it is behind, it reads by itself, from memory or from Postgres, as fast as its client does. Once it has caught up
it joins an audience, in the same step in which it saw that nothing is left: nothing is lost or repeated in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from makima.contract_stores import EventStream
from makima.domain.monitor.filters import Audiences, Interest, interest
from makima.models.wire.monitor import MonitorFilter
from makima.models.wire.problem import Code
from makima.services.access.identity import Identity
from makima.services.access.visibility import Visibility
from makima.services.monitor.encoded import Told, failed, subscribed, told
from makima.services.monitor.outbox import Outbox
from makima.services.monitor.tail import EventTail
from makima.services.refusals import Refused, refusal, refused_by

VERB = "watch"
"""RBAC verb on contracts that the stream asks for."""

REPLAYS = 8
"""Questions of clients that are behind, with Postgres at a time."""

REPLAY_PAGE = 500

GOING_AWAY, POLICY, INTERNAL, TRY_LATER = 1001, 1008, 1011, 1013
"""Codes that a WebSocket is closed with (RFC 6455; docs/reference/events.md)."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What all subscriptions of a process share."""

    tail: EventTail
    store: EventStream
    visibility: Visibility
    audiences: Audiences[Subscription]
    replays: asyncio.Semaphore
    enhanced: bool = True


class Subscription:
    """One client.

    Attributes:
        who: asks who the client is, anew.
        within: namespaces that the connection is limited to; empty = none in particular.
        code: what to close the connection with, once `outbox` has ended.
        verified_at: loop time at which its rights were last confirmed.
        asked_at: loop time at which they were last asked about.
        sending_since: loop time since when frames are being sent; None = none are.
        stuck: set when the client does not read, and what is being sent to it has to be given up.
    """

    def __init__(
        self, sources: Sources, who: Callable[[], Awaitable[Identity]], within: frozenset[str] = frozenset()
    ) -> None:
        self._from, self.who, self.within = sources, who, within
        self.outbox = Outbox()
        self.code = GOING_AWAY
        self.verified_at = self.asked_at = asyncio.get_running_loop().time()
        self.sending_since: float | None = None
        self.stuck = asyncio.Event()
        self._start = sources.tail.head
        self._wanted = MonitorFilter()
        self._interest = Interest(frozenset())
        self._cursor = 0
        self._behind: asyncio.Task[None] | None = None

    @property
    def is_live(self) -> bool:
        """Whether it gets events from the tail."""
        return self._behind is None

    async def admit(self) -> None:
        """The client is let in: it may watch something. Where it begins is where the stream is now.

        Raises:
            Refused: FORBIDDEN, UNAUTHENTICATED, UNAVAILABLE.
            HistoryUnavailable: Postgres is away.
        """
        self._start = self._from.tail.head
        await self._seen(self._wanted)

    async def begin(self, wanted: MonitorFilter) -> None:
        """The first filter; without `after` it holds from where the client was let in.

        Raises:
            Refused: VALIDATION_FAILED, FORBIDDEN, UNAUTHENTICATED, UNAVAILABLE.
            HistoryUnavailable: Postgres is away.
        """
        seen = await self._seen(wanted)
        after = wanted.after if wanted.after is not None else self._start
        await self._must_exist(after)
        self._cursor = after
        self._take(wanted, seen, moved=True)

    async def change(self, wanted: MonitorFilter) -> None:
        """Another filter from here on, or from its `after`. Raises: as `begin`; the one before holds on then."""
        seen = await self._seen(wanted)
        if wanted.after is not None:
            await self._must_exist(wanted.after)
            self._cursor = wanted.after
        elif self.is_live:
            self._cursor = self._from.tail.head
        self._take(wanted, seen, moved=wanted.after is not None or not self.is_live)

    async def verify(self) -> None:
        """Look again who the client is and what it may see. Raises: as `begin`."""
        seen = await self._seen(self._wanted)
        self.verified_at = asyncio.get_running_loop().time()
        self._interest = interest(self._wanted, seen, enhanced=self._from.enhanced)
        if self.is_live:
            self._from.audiences.place(self, self._interest)

    def end(self, error: Exception | None = None, code: int | None = None) -> None:
        """Nothing more for this client, but what waits and the reason."""
        self.release()
        if error is None:
            self.outbox.end()
        else:
            refused = refused_by(error)
            self.code = code or _code_of(refused)
            self.outbox.end(failed(refused.problem))

    def release(self) -> None:
        """Take it out of everything."""
        self._from.audiences.drop(self)
        if self._behind is not None:
            self._behind.cancel()
            self._behind = None

    async def _seen(self, wanted: MonitorFilter) -> frozenset[str] | None:
        """Namespaces that the client sees of those that it wants; None = all."""
        named = frozenset(wanted.namespaces)
        if self.within and not named <= self.within:
            raise refusal(
                Code.VALIDATION_FAILED,
                f"namespaces: the connection is limited to {', '.join(sorted(self.within))}",
                field="namespaces",
                hint="leave namespaces out, or connect again without the limit",
            )
        identity = await self.who()
        scope = await self._from.visibility.scope(identity, VERB, named or self.within)
        if not scope.everywhere and not scope.namespaces:
            where = ", ".join(sorted(named or self.within)) or "any namespace that has contracts"
            raise refusal(
                Code.FORBIDDEN,
                f"{identity.user} may not {VERB} contracts in {where}",
                hint="name a namespace that you may see (namespaces), or have the role makima-view bound there",
            )
        return None if scope.everywhere else scope.namespaces

    async def _must_exist(self, after: int) -> None:
        """A number that the history has not reached is of another history: whoever waits for it misses everything."""
        if after <= self._from.tail.head:
            return
        await self._from.tail.look()
        head = self._from.tail.head
        if after > head:
            raise refusal(
                Code.VALIDATION_FAILED,
                f"after: the stream has only come to {head}",
                field="after",
                hint="leave after out to begin with what happens now, or give 0 for everything",
                last=head,
            )

    def _take(self, wanted: MonitorFilter, seen: frozenset[str] | None, *, moved: bool) -> None:
        """The filter holds, in one step."""
        self._wanted = wanted
        self._interest = interest(wanted, seen, enhanced=self._from.enhanced)
        if not self.outbox.put_control(subscribed(self._cursor, wanted.model_copy(update={"after": None}))):
            self.end(refusal(Code.FORBIDDEN, "the client asks and does not read", hint="read the answers"), POLICY)
            return
        if moved:
            self.release()
            self._behind = asyncio.create_task(self._catch_up())
        else:
            self._from.audiences.place(self, self._interest)

    async def _catch_up(self) -> None:
        try:
            while not self._joined():
                await self.outbox.room()
                if self._from.tail.kept_after(self._cursor) is None:
                    await self._replay()
        except Exception as error:
            self._behind = None
            self.end(error)

    def _joined(self) -> bool:
        """Go on from memory as far as there is room; if nothing is left then, the next events come from the tail."""
        kept = self._from.tail.kept_after(self._cursor)
        if kept is None:
            return False
        for one in kept:
            if not self.outbox.has_room:
                return False
            self._deliver(one)
        self._behind = None
        self._from.audiences.place(self, self._interest)
        return True

    async def _replay(self) -> None:
        """One page from Postgres."""
        wanted = self._interest
        async with self._from.replays:
            page, until = await self._from.store.replay(
                self._cursor, self._from.tail.head, wanted.contract_ids, wanted.namespaces, REPLAY_PAGE
            )
        for stored in page:
            await self.outbox.room()
            self._deliver(told(stored, enhanced=self._from.enhanced))
        self._cursor = max(self._cursor, until)

    def _deliver(self, one: Told) -> None:
        self._cursor = one.seq
        if self._interest.admits(one.subject):
            self.outbox.put(one)


def _code_of(refused: Refused) -> int:
    if refused.problem.code is Code.INTERNAL:
        return INTERNAL
    return TRY_LATER if refused.retry_after is not None else POLICY
