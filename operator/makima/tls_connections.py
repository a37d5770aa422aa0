"""TLS connections of aiohttp that end with their session."""

from __future__ import annotations

import ssl
import sys

import aiohttp

WAITS_FOR_THE_SERVER = sys.version_info < (3, 12, 8) or (3, 13) <= sys.version_info < (3, 13, 1)
"""Whether this Python has a closed TLS connection wait for the server to say so too, for ever where the loop ends first
(cpython#118960)."""


def tls_connector(context: ssl.SSLContext | bool, limit: int = 100) -> aiohttp.TCPConnector:
    """For `aiohttp.ClientSession(connector=…)`.

    With `enable_cleanup_closed`, aiohttp's own remedy, the end of the session ends a connection that waits.

    Args:
        context: whom to trust, and who one is; True for what the system trusts.
        limit: connections at once; 0 for as many as are asked for.
    """
    return aiohttp.TCPConnector(limit=limit, ssl=context, enable_cleanup_closed=WAITS_FOR_THE_SERVER)
