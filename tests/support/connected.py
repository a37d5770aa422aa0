"""Connections of a run's tests to its API servers: a kubeconfig is read once, for whichever tests use it."""

from __future__ import annotations

import asyncio
import ssl
from copy import copy
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration

from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.tls_connections import tls_connector

_read: dict[bytes, Configuration] = {}
"""By what the file says: five connections for each of hundreds of tests, and reading takes 10 ms of CPU."""


async def connected(kubeconfig: Path) -> Connection:
    """A connection as whoever the file names."""
    return Connection(copy(await _configuration(kubeconfig)), "tests")


async def http_session(kubeconfig: Path, **options: Any) -> aiohttp.ClientSession:
    """A bare session with the API server, as whoever the file has a certificate of; aiohttp's own options."""
    found = await _configuration(kubeconfig)
    trust = ssl.create_default_context(cafile=found.ssl_ca_cert)
    trust.load_cert_chain(found.cert_file, found.key_file)
    return aiohttp.ClientSession(found.host, connector=tls_connector(trust), **options)


async def _configuration(kubeconfig: Path) -> Configuration:
    said = await asyncio.to_thread(kubeconfig.read_bytes)
    if said not in _read:
        _read[said] = await load_configuration(kubeconfig)
    return _read[said]
