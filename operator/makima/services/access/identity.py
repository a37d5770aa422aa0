"""Who calls: a bearer token becomes an identity, as the API server says, remembered for seconds."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from makima.errors import ClusterUnavailable
from makima.models.wire.problem import Code
from makima.services.refusals import Refused, refusal, unavailable

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

RESTS = 4
"""Questions that nobody waits for go one at a time, with a rest of so many times as long as the last one took. Where
somebody may see one of a hundred namespaces, it is a hundred each 5 s: at once, they hold up whoever looks."""

WAITING = 2000
ANSWER_SECONDS = 5.0
TOKEN_BYTES = 16 * 1024

SERVICE_ACCOUNT = "system:serviceaccount:"
POD_UID = "authentication.kubernetes.io/pod-uid"


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller, as the API server knows it.

    Attributes:
        pod_uid: the pod that the token was made for and dies with; None for everybody else.
        key: names the identity in caches.
    """

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pod_uid: UUID | None = None
    key: str = ""

    @property
    def namespace(self) -> str | None:
        """Namespace of a service account."""
        if not self.user.startswith(SERVICE_ACCOUNT):
            return None
        return self.user.removeprefix(SERVICE_ACCOUNT).partition(":")[0]


def identity_named(user: str, uid: str, groups: tuple[str, ...], extra: Mapping[str, tuple[str, ...]]) -> Identity:
    """The identity that the API server gave these names: in a TokenReview, or in a front proxy's headers."""
    pods = extra.get(POD_UID, ())
    # What RBAC may look at, and no more: the token's own id must not make every renewed token a stranger.
    named = json.dumps([user, uid, groups, pods])
    return Identity(
        user=user,
        uid=uid,
        groups=groups,
        extra=extra,
        pod_uid=UUID(pods[0]) if pods else None,
        key=hashlib.sha256(named.encode()).hexdigest(),
    )


class TokenReviews(Protocol):
    """Who asks the API server about tokens."""

    async def review(self, token: str) -> Identity | None:
        """Whose token this is, for our audience; None if it is nobody's.

        Raises:
            ClusterUnavailable: no answer.
        """
        ...


Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


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
            return found
        task = self._asking(key, ask)
        try:
            return await asyncio.shield(task)
        except (ClusterUnavailable, TimeoutError):
            raise unavailable("the Kubernetes API server does not say who calls") from None

    async def at_once(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer; a no of a moment ago without waiting, which is asked about again beside.

        Raises:
            Refused: UNAVAILABLE, no answer in time.
        """
        found, now = self._known.get(key), asyncio.get_running_loop().time()
        if found is None or self._good(found[0]) or not found[1] <= now < found[1] + OLD_NO_SECONDS:
            return await self.get(key, ask)
        if len(self._later) < WAITING:
            self._later.setdefault(key, ask)
        if self._asks_later is None or self._asks_later.done():
            self._asks_later = asyncio.create_task(self._ask_later())
        return found[0]

    async def _ask_later(self) -> None:
        """Until nothing is left; who has to wait for one of these answers asks beside, and does not queue."""
        loop = asyncio.get_running_loop()
        while self._later:
            (key, ask), began = self._later.popitem(last=False), loop.time()
            with suppress(Refused):
                await self.get(key, ask)
            await asyncio.sleep(RESTS * (loop.time() - began))

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


@dataclass(frozen=True, slots=True)
class _Found:
    identity: Identity | None


class Authentication:
    """Tokens to identities; a token itself is never kept, only its hash."""

    def __init__(self, reviews: TokenReviews) -> None:
        self._reviews = reviews
        self._known: Remembered[bytes, _Found] = Remembered(lambda found: found.identity is not None)
        self._failures = 0

    def known(self, header: bytes | None) -> Identity | None:
        """The caller, if that can be said without asking anybody."""
        if header is None or header[:7].lower() != b"bearer ":
            return None
        found = self._known.known(hashlib.sha256(header[7:].strip()).digest())
        return found.identity if found is not None else None

    async def identity(self, header: bytes | None) -> Identity:
        """The caller behind an Authorization header.

        Raises:
            Refused: UNAUTHENTICATED; UNAVAILABLE if the API server does not answer.
        """
        if header is None or header[:7].lower() != b"bearer ":
            raise _unauthenticated("the call carries no bearer token")
        if len(header) > TOKEN_BYTES:
            raise _unauthenticated("the token is too long to be one")
        token = header[7:].strip()
        found = await self._known.get(hashlib.sha256(token).digest(), lambda: self._review(token))
        if found.identity is None:
            raise _unauthenticated("the API server does not accept the token")
        return found.identity

    async def _review(self, token: bytes) -> _Found:
        try:
            text = token.decode("ascii")
        except UnicodeDecodeError:
            return _Found(None)
        return _Found(await self._reviews.review(text) if text else None)

    async def check(self) -> None:
        """Identities can be verified now, and could be all the time since the last check.

        Raises:
            ClusterUnavailable: no.
        """
        await self._reviews.review("is-anybody-there")
        failed, self._failures = self._known.failures - self._failures, self._known.failures
        if failed:
            raise ClusterUnavailable(f"{failed} tokens could not be verified")


def _unauthenticated(message: str) -> Exception:
    return refusal(
        Code.UNAUTHENTICATED,
        message,
        hint="send a service account's token that is not expired and has makima's audience "
        "(kubectl create token NAME --audience=makima.dev)",
    )
