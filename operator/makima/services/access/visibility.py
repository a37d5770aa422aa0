"""Which namespaces' contracts a caller may see: nobody is shown, or has counted, what RBAC hides from them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from makima.services.access.identity import Identity
from makima.services.access.rbac import EVERY, Access, Rbac

SHOWS = frozenset({"list"})
"""Verbs of whoever looks again and again, and waits: with a hundred namespaces there would else be as many answers to
wait for every 5 s. The monitor asks every 30 s, and nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see.

    Attributes:
        everywhere: all namespaces, also those that come later; `namespaces` is empty then.
        namespaces: exactly these.
    """

    everywhere: bool = False
    namespaces: frozenset[str] = frozenset()

    def admits(self, namespace: str) -> bool:
        """Whether objects of this namespace are seen."""
        return self.everywhere or namespace in self.namespaces

    def within(self, wanted: frozenset[str]) -> Scope:
        """The part of it that was asked for; nothing asked for = all of it."""
        if not wanted:
            return self
        return Scope(namespaces=wanted if self.everywhere else self.namespaces & wanted)


class Visibility:
    """Scopes by RBAC: the verb in all namespaces at once first, then in each namespace that has contracts."""

    def __init__(self, rbac: Rbac, known_namespaces: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._rbac, self._known = rbac, known_namespaces

    async def scope(self, identity: Identity, verb: str = "list", wanted: frozenset[str] = frozenset()) -> Scope:
        """Where the caller holds the verb on contracts.

        Args:
            verb: an RBAC verb on `contracts.makima.dev`.
            wanted: only these namespaces, where some are named; those that the caller may not see are left out.

        Raises:
            Refused: UNAVAILABLE if the API server does not answer.
            HistoryUnavailable: Postgres is away (asked only for callers without the cluster-wide right).
        """
        may = self._rbac.may_all_be_shown if verb in SHOWS else self._rbac.may_all
        if await may(identity, [Access(verb, "contracts", EVERY, EVERY)]) == [True]:
            return Scope(everywhere=True).within(wanted)
        asked = sorted(wanted or await self._known())
        held = await may(identity, [Access(verb, "contracts", name, EVERY) for name in asked])
        return Scope(namespaces=frozenset(name for name, yes in zip(asked, held, strict=True) if yes))
