"""Which contract a person means: a name, namespace/name, or a UID; and in which namespaces they may look."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass

from makima.client.api import ApiError
from makima.client.cluster import Cluster, JsonObject
from makima.client.person import Person
from makima.errors import Denied, MakimaError, NotFound
from makima.models.bounds import UUID_PATTERN

PAGES = 50
"""Pages of makima's list that are read for the names of namespaces."""

AT_A_TIME = 8
"""Namespaces listed at the same time."""


class ContractNotFound(MakimaError):
    """No contract is called so, as far as this person may see."""

    def __init__(self, wanted: str, hint: str) -> None:
        super().__init__(f"CONTRACT_NOT_FOUND: there is no contract {wanted}", hint)


def is_uid(wanted: str) -> bool:
    """Whether it is written as a UID."""
    return re.match(UUID_PATTERN, wanted) is not None


def split_name(wanted: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of `name`, `namespace/name`, `namespace:name` or `contract/name`."""
    before, separator, after = wanted.replace(":", "/").rpartition("/")
    if separator and before and before not in ("contract", "contracts", "contract.makima.dev", "contracts.makima.dev"):
        return before.rpartition("/")[2], after
    return namespace, after


async def find(person: Person, wanted: str) -> JsonObject:
    """The contract.

    Raises:
        ContractNotFound: there is none, or none that this person may see.
        ClusterError: by what the API server said.
    """
    if is_uid(wanted):
        return await _by_uid(person, wanted)
    namespace, name = split_name(wanted, person.namespace)
    try:
        return await person.cluster.get("contracts", namespace, name)
    except NotFound:
        hint = "see what there is: list -A; of one that is gone, the history remains: history"
        raise ContractNotFound(f"{namespace}/{name}", hint) from None


async def _by_uid(person: Person, uid: str) -> JsonObject:
    scope = await visible(person)
    async for body in scope.every(person.cluster):
        if body["metadata"]["uid"] == uid:
            return body
    raise ContractNotFound(f"with the UID {uid}", "see the UIDs of all: list -A -o wide")


@dataclass(frozen=True, slots=True)
class Visible:
    """Where a person may list contracts.

    Attributes:
        namespaces: None = everywhere.
        note: what the person has to know if it may be less than everything.
    """

    namespaces: tuple[str, ...] | None
    note: str | None = None

    async def every(self, cluster: Cluster, *, selector: str = "", fields: str = "") -> AsyncIterator[JsonObject]:
        """All contracts there; namespaces that became forbidden meanwhile are left out."""
        for namespace in (None,) if self.namespaces is None else self.namespaces:
            try:
                async for body in cluster.every("contracts", namespace, selector=selector, fields=fields):
                    yield body
            except Denied as error:
                if error.status != 403 or self.namespaces is None:
                    raise


async def contracts_in(person: Person, namespace: str | None) -> AsyncIterator[JsonObject]:
    """All contracts of a namespace; None = of all that this person may see.

    Raises:
        ClusterError: by what the API server said.
    """
    there: AsyncIterator[JsonObject] = (
        person.cluster.every("contracts", namespace)
        if namespace is not None
        else (await visible(person)).every(person.cluster)
    )
    async for body in there:
        yield body


async def names_of(person: Person, namespace: str | None, uids: Collection[str]) -> dict[str, str]:
    """How people call contracts, by UID: namespace/name. Of those that can't be looked up, nothing."""
    wanted, names = set(uids), dict[str, str]()
    if wanted:
        with suppress(MakimaError):
            async for body in contracts_in(person, namespace):
                meta = body["metadata"]
                if meta["uid"] in wanted:
                    names[meta["uid"]] = f"{meta['namespace']}/{meta['name']}"
    return names


async def visible(person: Person) -> Visible:
    """Where this person may list contracts: everywhere; else in which of the namespaces that can be known.

    Namespaces come from the API server, where the person may list them, else from makima's API; else it is the one
    of the kubeconfig.
    """
    if await person.cluster.may("list", "contracts"):
        return Visible(None)
    known = await _known_namespaces(person)
    gate = asyncio.Semaphore(AT_A_TIME)

    async def allowed(namespace: str) -> bool:
        async with gate:
            return await person.cluster.may("list", "contracts", namespace)

    names = known or (person.namespace,)
    held = await asyncio.gather(*(allowed(name) for name in names))
    found = tuple(name for name, yes in zip(names, held, strict=True) if yes)
    how = "" if known else "; other namespaces can't be known: you may not list them, and makima's API does not tell"
    note = f"you may not list contracts in all namespaces; looked in: {', '.join(found) or 'none'}{how}"
    return Visible(found, note)


async def _known_namespaces(person: Person) -> tuple[str, ...]:
    try:
        return tuple(await person.cluster.namespaces())
    except (Denied, NotFound):
        pass
    found, cursor = {person.namespace}, dict[str, str]()
    try:
        for _ in range(PAGES):
            page = await person.api.get(person.api.collection(), limit="500", **cursor)
            found |= {str(item["namespace"]) for item in page.get("contracts") or ()}
            if not page.get("next_cursor"):  # only this is the end: a page may be short, or empty, before it
                break
            cursor = {"cursor": page["next_cursor"]}
    except ApiError:
        return ()
    return tuple(sorted(found))
