"""Registering the aggregated API with the API server, and never leaving it registered while nobody answers.

An APIService that does not answer blocks the deletion of every namespace of the cluster, and makes kubectl complain
with each command. So it is put there last, waited for, and taken away again where nothing comes.
"""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import suppress
from typing import Any

from makima.adapters.kubernetes.apply import apply_manifests, manifest_path
from makima.adapters.kubernetes.connection import Connection
from makima.errors import ClusterError, MakimaError, NotFound

Manifest = dict[str, Any]

AVAILABLE_SECONDS = 60.0
"""The API server looks at an APIService that it does not reach every few seconds."""


class NotAnswering(MakimaError):
    """The API server does not reach the API service; the aggregated API is not registered."""


async def register(connection: Connection, api_service: Manifest, seconds: float) -> None:
    """Register, and wait until the API server says that the API service answers.

    Raises:
        NotAnswering: it did not; it is not registered (any more).
        ClusterError: the API server refused, or was not there.
    """
    await apply_manifests(connection, [api_service])
    why = await _wait_available(connection, manifest_path(api_service), seconds)
    if not why:
        return
    await unregister(connection, api_service)
    raise NotAnswering(
        f"the API server does not reach the API service: {why}",
        "start `makima api` with the certificate of [api] aggregated_certificate, then try again",
    )


async def unregister(connection: Connection, api_service: Manifest) -> bool:
    """Take the registration away; false where there is none."""
    try:
        await connection.request("DELETE", manifest_path(api_service))
    except NotFound:
        return False
    return True


async def trusted_now(connection: Connection, api_service: Manifest) -> bytes:
    """The certificates (PEM) that the API server takes from the API service now; none where it is not registered."""
    with suppress(NotFound):
        found = await connection.request("GET", manifest_path(api_service))
        return base64.b64decode(found["spec"].get("caBundle") or "")
    return b""


async def certificate_in(connection: Connection, secret: Manifest) -> bytes:
    """The certificate (PEM) that a Secret holds; none where it is not there."""
    with suppress(NotFound):
        found = await connection.request("GET", manifest_path(secret))
        return base64.b64decode((found.get("data") or {}).get("tls.crt") or "")
    return b""


async def _wait_available(connection: Connection, path: str, seconds: float) -> str:
    """ "" once it is available, else why it is not."""
    deadline, why = time.monotonic() + seconds, "no word from the API server about it"
    while time.monotonic() < deadline:
        try:
            why = _why_not(await connection.request("GET", path)) or ""
        except ClusterError as error:
            why = error.message
        if not why:
            return ""
        await asyncio.sleep(0.2)
    return why


def _why_not(api_service: Manifest) -> str | None:
    conditions = api_service.get("status", {}).get("conditions", ())
    found = next((each for each in conditions if each["type"] == "Available"), None)
    if found is None:
        return "no word from the API server about it"
    return None if found["status"] == "True" else str(found.get("message") or found.get("reason"))
