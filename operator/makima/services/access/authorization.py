"""Who may do what: a pod only what its own supervisor may, everybody else what RBAC says (ADR 0006, "Who may call")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID

from makima.errors import ClusterUnavailable, Superseded
from makima.models.supervision import Beat, Session
from makima.models.wire.problem import Code
from makima.services.access.identity import Identity
from makima.services.access.remembered import Remembered
from makima.services.access.session_cache import SessionCache
from makima.services.refusals import Refused, refusal, superseded

EVERY = ""
"""In place of a name: all objects of the namespace."""


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody wants to do to which of makima's resources."""

    verb: str
    resource: str
    namespace: str
    name: str


class AccessReviews(Protocol):
    """Who asks the API server about rights."""

    async def allowed(self, identity: Identity, access: Access) -> bool:
        """Whether RBAC lets the identity do this.

        Raises:
            ClusterUnavailable: no answer.
        """
        ...


class Quick:
    """What is known at one moment of a caller's right to act for lives: a batch asks once for each namespace."""

    __slots__ = ("_identity", "_namespaces", "_now", "_rights", "_sessions")

    def __init__(
        self,
        identity: Identity,
        sessions: SessionCache,
        rights: Callable[[Identity, str], bool],
        now: float,
    ) -> None:
        self._identity, self._sessions, self._rights, self._now = identity, sessions, rights, now
        self._namespaces: dict[str, bool] = {}

    def may(self, contract_id: UUID, incarnation: int) -> bool:
        """Whether the caller certainly may; False also where somebody has to be asked first."""
        session = self._sessions.known(contract_id, self._now)
        return session is not None and session.incarnation == incarnation and self._fits(session)

    def doubtful(self, beats: Sequence[Beat]) -> list[int]:
        """Places of those for which `may` would say no."""
        sessions, fits = self._sessions.all_known([beat.contract_id for beat in beats], self._now), self._fits
        return [
            place
            for place, (beat, session) in enumerate(zip(beats, sessions, strict=True))
            if session is None or session.incarnation != beat.incarnation or not fits(session)
        ]

    def _fits(self, session: Session) -> bool:
        if self._identity.pod_uid is not None:
            return session.pod_uid == self._identity.pod_uid
        if session.pod_uid is not None or session.registration_id is None:
            return False
        found = self._namespaces.get(session.namespace)
        if found is None:
            found = self._namespaces[session.namespace] = self._rights(self._identity, session.namespace)
        return found


class Authorization:
    """Answers by session and by RBAC; a yes is believed for 30 s."""

    def __init__(self, reviews: AccessReviews, sessions: SessionCache) -> None:
        self._reviews, self.sessions = reviews, sessions
        self._known: Remembered[tuple[str, Access], bool] = Remembered(bool)
        self._failures = 0

    def check(self) -> None:
        """Every right that was asked about since the last check could be told.

        Raises:
            ClusterUnavailable: no.
        """
        failed, self._failures = self._known.failures - self._failures, self._known.failures
        if failed:
            raise ClusterUnavailable(f"{failed} rights could not be told")

    def quick(self, identity: Identity) -> Quick:
        """Says of one life after another whether the caller may act for it, without asking anybody. For one moment."""
        return Quick(identity, self.sessions, self._everywhere, asyncio.get_running_loop().time())

    def _everywhere(self, identity: Identity, namespace: str) -> bool:
        return bool(self._known.known((identity.key, Access("supervise", "contracts", namespace, EVERY))))

    async def carrier(self, identity: Identity, contract_id: UUID, incarnation: int) -> Session:
        """The session that the caller may act for, with this incarnation.

        Raises:
            Refused: SUPERVISOR_NOT_FOUND, SUPERSEDED, FORBIDDEN, UNAVAILABLE.
            HistoryUnavailable: Postgres is away.
        """
        session = self.sessions.known(contract_id)
        # Incarnations only grow: what is older than a row that was read once is over, whatever the row says by now.
        if session is not None and _over(identity, session, incarnation):
            raise Refused(superseded(session.incarnation))
        if session is None or session.incarnation != incarnation or not _fits(identity, session):
            session = await self.sessions.read(contract_id)
        if session is None:
            raise _not_found()
        if _over(identity, session, incarnation):
            raise Refused(superseded(session.incarnation))
        if not _fits(identity, session):
            raise _forbidden(_why(identity, session))
        if identity.pod_uid is None:
            await self.require(identity, Access("supervise", "contracts", session.namespace, session.name))
        return session

    async def current(self, identity: Identity, contract_id: UUID, incarnation: int) -> Session:
        """The same, by the row as committed now: for calls that Postgres does not fence by itself.

        Raises:
            Superseded: a newer life has begun; and see `carrier`.
        """
        await self.carrier(identity, contract_id, incarnation)
        session = await self.sessions.read(contract_id)
        if session is None:
            raise _not_found()
        if session.incarnation != incarnation:
            raise Superseded(session.incarnation)
        return session

    async def reader(self, identity: Identity, contract_id: UUID, verb: str = "get") -> Session:
        """The session, for somebody who reads about it (`get`) or has it synchronised (`update`).

        Raises:
            Refused: SUPERVISOR_NOT_FOUND, FORBIDDEN, UNAVAILABLE.
            HistoryUnavailable: Postgres is away.
        """
        session = await self.sessions.read(contract_id)
        if session is None:
            raise _not_found()
        if identity.pod_uid is None or identity.pod_uid != session.pod_uid:
            await self._may_know(identity, session)
            await self.require(identity, Access(verb, "supervisors", session.namespace, session.name))
        return session

    async def _may_know(self, identity: Identity, session: Session) -> None:
        """Who may read neither the contract nor its supervisor is told what is told of an id that never was."""
        for resource in ("supervisors", "contracts"):
            if await self.holds(identity, Access("get", resource, session.namespace, session.name)):
                return
        raise _not_found()

    async def may(self, identity: Identity, access: Access) -> bool:
        """Whether RBAC allows exactly this; an empty name or namespace stands for all of them.

        Raises:
            Refused: UNAVAILABLE if the API server does not answer.
        """
        return await self._known.get((identity.key, access), partial(self._reviews.allowed, identity, access))

    async def may_be_shown(self, identity: Identity, access: Access) -> bool:
        """The same for what is merely shown: what was allowed a moment ago may be hidden a moment longer.

        Raises:
            Refused: UNAVAILABLE if the API server does not answer.
        """
        return await self._known.at_once((identity.key, access), partial(self._reviews.allowed, identity, access))

    async def holds(self, identity: Identity, access: Access) -> bool:
        """Whether RBAC allows it, for the whole namespace or this object.

        Asked for the namespace first: then one question is enough for a fleet.

        Raises:
            Refused: UNAVAILABLE if the API server does not answer.
        """
        for name in dict.fromkeys((EVERY, access.name)):
            if await self.may(identity, Access(access.verb, access.resource, access.namespace, name)):
                return True
        return False

    async def require(self, identity: Identity, access: Access) -> None:
        """RBAC has to allow it.

        Raises:
            Refused: FORBIDDEN; UNAVAILABLE if the API server does not answer.
        """
        if await self.holds(identity, access):
            return
        what = f"{access.verb} {access.resource}.makima.dev {access.name} in namespace {access.namespace}"
        raise refusal(
            Code.FORBIDDEN,
            f"{identity.user} may not {what}",
            hint=f"bind a role with the verb {access.verb} on {access.resource} to {identity.user}, "
            "for example makima-supervise or makima-view",
        )


def _over(identity: Identity, session: Session, incarnation: int) -> bool:
    """Whether this life has ended; told to nobody of another namespace."""
    return incarnation < session.incarnation and identity.namespace in (None, session.namespace)


def _fits(identity: Identity, session: Session) -> bool:
    if identity.pod_uid is not None or session.pod_uid is not None:
        return identity.pod_uid == session.pod_uid
    return session.registration_id is not None


def _why(identity: Identity, session: Session) -> str:
    if identity.pod_uid is not None:
        return "the token is of another pod than the one that carries this contract"
    if session.pod_uid is not None:
        return "this contract is carried by a pod; only that pod's token may act for it"
    return "no external supervisor has registered this life; call register first"


def _forbidden(message: str) -> Refused:
    return refusal(Code.FORBIDDEN, message, hint="use the token of whoever carries the contract")


def _not_found() -> Refused:
    return refusal(
        Code.SUPERVISOR_NOT_FOUND,
        "no supervisor is known for this contract",
        hint="register first; the address has the contract's UID in it",
    )
