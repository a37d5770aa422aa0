"""For which lives a caller certainly may act, said without asking anybody: what heartbeats are let in by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from makima.models.supervision import Beat, Session
from makima.services.access.identity import Identity
from makima.services.access.session_cache import SessionCache


class KnownRights:
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
