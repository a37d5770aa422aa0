"""TLS connections of aiohttp that end with their session."""

from __future__ import annotations

import ssl
import sys

import aiohttp


def tls_connector(context: ssl.SSLContext | bool, limit: int = 100) -> aiohttp.TCPConnector:
    """For `aiohttp.ClientSession(connector=…)`.

    Until Python 3.12.8 a TLS connection that is closed waits for the server to say so too, for ever where the loop ends
    first; with `enable_cleanup_closed` the end of the session ends it (cpython#118960, aiohttp's own remedy).

    Args:
        context: whom to trust, and who one is; True for what the system trusts.
        limit: connections at once; 0 for as many as are asked for.
    """
    return aiohttp.TCPConnector(limit=limit, ssl=context, enable_cleanup_closed=sys.version_info < (3, 12, 8))
