"""Who may act for a supervisor's life: its own pod, or outside of pods whoever RBAC lets (ADR 0006, "Who may call")."""

from __future__ import annotations

import asyncio
from uuid import UUID

from makima.errors import Superseded
from makima.models.supervision import Session
from makima.models.wire.problem import Code
from makima.services.access.identity import Identity
from makima.services.access.known_rights import KnownRights
from makima.services.access.rbac import Access, Rbac
from makima.services.access.session_cache import SessionCache
from makima.services.refusals import Refused, refusal, superseded


class Authorization:
    """Answers by session, and for whoever is no pod by RBAC."""

    def __init__(self, rbac: Rbac, sessions: SessionCache) -> None:
        self.rbac, self.sessions = rbac, sessions

    def quick(self, identity: Identity) -> KnownRights:
        """Says of one life after another whether the caller may act for it, without asking anybody. For one moment."""
        return KnownRights(identity, self.sessions, self.rbac.supervises_all, asyncio.get_running_loop().time())

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
            await self.rbac.require(identity, Access("supervise", "contracts", session.namespace, session.name))
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
            await self.rbac.require(identity, Access(verb, "supervisors", session.namespace, session.name))
        return session

    async def _may_know(self, identity: Identity, session: Session) -> None:
        """Who may read neither the contract nor its supervisor is told what is told of an id that never was."""
        for resource in ("supervisors", "contracts"):
            if await self.rbac.holds(identity, Access("get", resource, session.namespace, session.name)):
                return
        raise _not_found()


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
