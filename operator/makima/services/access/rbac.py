"""What RBAC allows: asked of the API server, and remembered for seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

from makima.errors import ClusterUnavailable
from makima.models.wire.problem import Code
from makima.services.access.identity import Identity
from makima.services.access.remembered import Remembered
from makima.services.refusals import refusal

EVERY = ""
"""In place of a name: all objects of the namespace."""


class Access(NamedTuple):
    """What somebody wants to do to which of makima's resources. A tuple: hundreds are looked up for one look."""

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


class Rbac:
    """Answers of the API server about rights; a yes is believed for 30 s."""

    def __init__(self, reviews: AccessReviews) -> None:
        self._reviews = reviews
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

    def supervises_all(self, identity: Identity, namespace: str) -> bool:
        """Whether the caller is known to be let act for every supervisor of a namespace; asks nobody."""
        return bool(self._known.known((identity.key, Access("supervise", "contracts", namespace, EVERY))))

    async def may(self, identity: Identity, access: Access) -> bool:
        """Whether RBAC allows exactly this; an empty name or namespace stands for all of them.

        Raises:
            Refused: UNAVAILABLE if the API server does not answer.
        """
        return await self._known.get((identity.key, access), partial(self._reviews.allowed, identity, access))

    async def may_all(self, identity: Identity, accesses: Sequence[Access]) -> list[bool]:
        """The same for each of these, in this order.

        Raises:
            Refused: UNAVAILABLE if the API server does not answer.
        """
        return await asyncio.gather(*(self.may(identity, access) for access in accesses))

    async def may_all_be_shown(self, identity: Identity, accesses: Sequence[Access]) -> list[bool]:
        """The same for what is merely shown: what was allowed a moment ago may be hidden a moment longer.

        Raises:
            Refused: UNAVAILABLE if the API server does not answer.
        """
        keys = [(identity.key, access) for access in accesses]
        return await self._known.at_once(keys, lambda key: self._reviews.allowed(identity, key[1]))

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
