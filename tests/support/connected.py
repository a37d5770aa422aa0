"""Connections of a run's tests to its API servers: a kubeconfig is read once, for whichever tests use it."""

from __future__ import annotations

import asyncio
from copy import copy
from pathlib import Path

from kubernetes.aio.client import Configuration

from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection

_read: dict[bytes, Configuration] = {}
"""By what the file says: five connections for each of hundreds of tests, and reading takes 10 ms of CPU."""


async def connected(kubeconfig: Path) -> Connection:
    """A connection as whoever the file names."""
    said = await asyncio.to_thread(kubeconfig.read_bytes)
    if said not in _read:
        _read[said] = await load_configuration(kubeconfig)
    return Connection(copy(_read[said]), "tests")
