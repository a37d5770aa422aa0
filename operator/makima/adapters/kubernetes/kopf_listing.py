"""kopf's lists in pages: all of a list are of one moment, which the API server forgets after some minutes."""

from __future__ import annotations

import logging

import aiohttp

GONE = 410

log = logging.getLogger(__name__)


def lists(response: aiohttp.ClientResponse, plural: str) -> bool | None:
    """Whether it is a page of a list of these objects; False: it is their watch, which follows the last page."""
    if not response.ok or response.url.name != plural:
        return None
    return "watch" not in response.url.query


async def begin_again(response: aiohttp.ClientResponse) -> None:
    """Have a list begin again that can't be continued; for each response of kopf's session (`raise_for_status`).

    kopf 1.45 ends the process on 410 between two pages. On a list that broke off, which is what this makes of it, it
    lists again.

    Raises:
        aiohttp.ClientPayloadError: the moment of this list is forgotten.
    """
    if response.status == GONE and "continue" in response.url.query:
        response.close()
        log.info("%s: the list was too old to be continued, and begins again", response.url.path)
        raise aiohttp.ClientPayloadError("the list can't be continued (410)")
