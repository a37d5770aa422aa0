"""How long an answer of the API server is believed, and how many are asked for at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from makima.errors import ClusterUnavailable
from makima.services.refusals import Refused, unavailable

CACHED_SECONDS = 30.0
"""How long a yes is believed; a deleted pod's token works no longer than this."""

REFUSED_SECONDS = 5.0
"""How long a no is believed: short, since roles are bound after the first attempt failed."""

OLD_NO_SECONDS = 30.0
"""How long after that a no is still given at once, where that hides something a moment longer and nothing else: it is
asked about again meanwhile. A yes is never given after its time."""

REMEMBERED = 50_000
ASKING = 32
"""Questions that are with the API server at a time, from this process."""

AHEAD_SECONDS = 5.0
"""So long before its end a yes is asked about anew, where somebody asks just then: who looks again and again does not
have to wait for one each half minute. Each yes is believed from its own answer on, and no longer than said above."""

RESTS = 19
"""Questions that nobody waits for go one at a time, with a rest of so many times as long as the last one took: they
have a twentieth of the time. Where somebody may see one of a hundred namespaces, it is a hundred every few seconds: at
once, they hold up whoever looks."""

SPREAD_SECONDS = 4.0
"""Where many wait, the rests are shorter: all have to be through long before an old no holds no more. The longest is a
quarter of this, as a yes that is over soon may come meanwhile."""

WAITING = 2000
ANSWER_SECONDS = 5.0

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


def rest_after(seconds: float, left: int) -> float:
    """Seconds of rest after a question that nobody waited for and that took so long, with so many left."""
    return min(RESTS * seconds, SPREAD_SECONDS / max(left, 4))


class Remembered(Generic[Key, Answer]):
    """Answers of the API server, for seconds: a bounded number, and one question for all who ask the same at once.

    Attributes:
        failures: questions without an answer, since the start.
    """

    def __init__(self, good: Callable[[Answer], bool]) -> None:
        self._good = good
        self._known: OrderedDict[Key, tuple[Answer, float]] = OrderedDict()
        self._asked: dict[Key, asyncio.Task[Answer]] = {}
        self._later: OrderedDict[Key, Callable[[], Awaitable[Answer]]] = OrderedDict()
        self._asks_later: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(ASKING)
        self.failures = 0

    def known(self, key: Key) -> Answer | None:
        """The answer, if it is still fresh."""
        found = self._known.get(key)
        if found is None or found[1] < asyncio.get_running_loop().time():
            return None
        return found[0]

    async def get(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, asked for if need be.

        Raises:
            Refused: UNAVAILABLE, no answer in time.
        """
        found = self.known(key)
        if found is not None:
            self._ahead(key, ask)
            return found
        task = self._asking(key, ask)
        try:
            return await asyncio.shield(task)
        except (ClusterUnavailable, TimeoutError):
            raise unavailable("the Kubernetes API server does not say who calls") from None

    def at_hand(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """The answer that may be given without waiting: a fresh one, or a no of a moment ago, asked again beside."""
        found, now = self._known.get(key), asyncio.get_running_loop().time()
        if found is None:
            return None
        if now <= found[1]:
            self._ahead(key, ask)
            return found[0]
        if self._good(found[0]) or now >= found[1] + OLD_NO_SECONDS:
            return None
        self._put_later(key, ask)
        return found[0]

    async def at_once(self, keys: Sequence[Key], ask: Callable[[Key], Awaitable[Answer]]) -> list[Answer]:
        """The answers in this order, those at hand without waiting and without a task: of a hundred that takes a while.

        Raises:
            Refused: UNAVAILABLE, no answer in time.
        """
        found = {key: self.at_hand(key, partial(ask, key)) for key in keys}
        missing = [key for key, answer in found.items() if answer is None]
        answers = await asyncio.gather(*(self.get(key, partial(ask, key)) for key in missing))
        waited_for = dict(zip(missing, answers, strict=True))
        return [waited_for[key] if (known := found[key]) is None else known for key in keys]

    def _ahead(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> None:
        """Have a yes that is over soon asked about, before every no."""
        if self._settled(key):
            return
        self._put_later(key, ask)
        if key in self._later:  # unless too many wait
            self._later.move_to_end(key, last=False)

    def _settled(self, key: Key) -> bool:
        """Whether the answer need not be asked for again yet."""
        answer, until = self._known[key]
        return asyncio.get_running_loop().time() <= until - (AHEAD_SECONDS if self._good(answer) else 0.0)

    def _put_later(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> None:
        if len(self._later) < WAITING:
            self._later.setdefault(key, ask)
        if self._asks_later is None or self._asks_later.done():
            self._asks_later = asyncio.create_task(self._ask_later())

    async def _ask_later(self) -> None:
        """Until nothing is left; who has to wait for one of these answers asks beside, and does not queue."""
        loop = asyncio.get_running_loop()
        while self._later:
            (key, ask), began = self._later.popitem(last=False), loop.time()
            if key in self._known and self._settled(key):
                continue  # somebody had to wait for it meanwhile
            with suppress(ClusterUnavailable, TimeoutError, Refused):
                await asyncio.shield(self._asking(key, ask))
            await asyncio.sleep(rest_after(loop.time() - began, len(self._later)))

    def _asking(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> asyncio.Task[Answer]:
        """The question, put to the API server unless it is there already."""
        task = self._asked.get(key)
        if task is None:
            if len(self._asked) >= WAITING:
                self.failures += 1
                raise unavailable("too many callers wait for the Kubernetes API server to say who they are")
            task = self._asked[key] = asyncio.create_task(self._ask(key, ask))
            task.add_done_callback(lambda done: self._done(key, done))
        return task

    def _done(self, key: Key, task: asyncio.Task[Answer]) -> None:
        self._asked.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen, also where every caller went away

    async def _ask(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._room:
                answer = await ask()
        except (ClusterUnavailable, TimeoutError):
            self.failures += 1
            raise
        seconds = CACHED_SECONDS if self._good(answer) else REFUSED_SECONDS
        self._known[key] = (answer, asyncio.get_running_loop().time() + seconds)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return answer
