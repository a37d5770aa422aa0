"""What there is, and every change of it: list, then watch, for as long as somebody looks; cut watches begin again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from makima.client.cluster import Cluster, JsonObject
from makima.client.merging import merged
from makima.errors import ClusterUnavailable, Denied, MakimaError, NotFound

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds between attempts; doubled each time."""

FORBIDDEN = 403

UNKNOWN_KIND = "could not find the requested resource"
"""How the API server says that there is no such kind."""


class NoKind(MakimaError):
    """The cluster does not know makima's resources."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Everything that there is now; what was known before and is not in it is gone."""

    bodies: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """An object that is new, or new in this form."""

    body: JsonObject


@dataclass(frozen=True, slots=True)
class Gone:
    """An object that was deleted, as it was last."""

    body: JsonObject


@dataclass(frozen=True, slots=True)
class Lost:
    """The API server does not answer; tried again after `seconds`. What is known is as old as this."""

    why: str
    seconds: float


Change = Listed | Changed | Gone | Lost

Topic = tuple[str, str | None]
"""A kind, and the namespace in which it is followed (None = all of them)."""


async def follow(
    cluster: Cluster, plural: str, namespace: str | None, *, selector: str = "", fields: str = ""
) -> AsyncGenerator[Change, None]:
    """Never ends by itself.

    Raises:
        Denied: this person may not list or watch there.
    """
    wait, version = FIRST_WAIT, ""
    while True:
        try:
            if not version:
                bodies, version = await _list(cluster, plural, namespace, selector, fields)
                yield Listed(bodies)
            async for event in cluster.watch(plural, namespace, version, selector=selector, fields=fields):
                wait, change = FIRST_WAIT, _change(event)
                version = str((event.get("object") or {}).get("metadata", {}).get("resourceVersion") or "")
                if change is not None:
                    yield change
            if not version:
                await _pause(FIRST_WAIT)
        except NotFound as error:
            if UNKNOWN_KIND in error.message:
                raise NoKind("the cluster does not know makima's resources", "makima install") from None
            version = ""  # 410: the version is too old for a watch
            await _pause(FIRST_WAIT)
        except ClusterUnavailable as error:
            yield Lost(error.message, wait)
            await _pause(wait)
            wait = min(wait * 2, LONGEST_WAIT)


async def follow_all(
    cluster: Cluster, topics: Mapping[Topic, Mapping[str, str]], *, spare: Collection[str] = ()
) -> AsyncGenerator[tuple[Topic, Change], None]:
    """Several at the same time. Never ends by itself.

    Args:
        topics: what to follow → `selector` and `fields` of it.
        spare: kinds that one can do without: told as an empty list where this person may not look.

    Raises:
        Denied: this person may not list or watch one of the others.
    """

    async def told(topic: Topic, chosen: Mapping[str, str]) -> AsyncGenerator[tuple[Topic, Change], None]:
        try:
            async with aclosing(follow(cluster, *topic, **chosen)) as changes:
                async for change in changes:
                    yield topic, change
        except Denied as error:
            if topic[0] not in spare or error.status != FORBIDDEN:
                raise
            yield topic, Listed(())

    async with aclosing(merged(told(topic, chosen) for topic, chosen in topics.items())) as changes:
        async for change in changes:
            yield change


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds * random.uniform(0.8, 1.2))  # noqa: S311  # not a secret


def _change(event: JsonObject) -> Change | None:
    match event["type"]:
        case "ADDED" | "MODIFIED":
            return Changed(event["object"])
        case "DELETED":
            return Gone(event["object"])
        case _:  # BOOKMARK; or ERROR, whose object has no version: then it is listed again
            return None


async def _list(
    cluster: Cluster, plural: str, namespace: str | None, selector: str, fields: str
) -> tuple[tuple[JsonObject, ...], str]:
    found: list[JsonObject] = []
    token = version = ""
    while True:
        page = await cluster.page(plural, namespace, selector=selector, fields=fields, token=token)
        found += page.get("items") or ()
        version = version or page["metadata"]["resourceVersion"]
        token = page["metadata"].get("continue") or ""
        if not token:
            return tuple(found), version
