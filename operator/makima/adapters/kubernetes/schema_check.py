"""Whether the cluster has the CRDs and policies that this code needs. On older ones an operator does not lead."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from makima.adapters.kubernetes.apply import manifest_path
from makima.adapters.kubernetes.connection import Connection
from makima.errors import MakimaError, NotFound
from makima.schema.version import SCHEMA_VERSION_ANNOTATION

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class SchemaTooOld(MakimaError):
    """CRDs or policies are missing, or older than this version of makima needs."""


async def check_schema(connection: Connection, objects: Sequence[Mapping[str, Any]], needed: int) -> None:
    """Compare the stamp of each of these CRDs and policies with `needed`.

    Args:
        objects: apiVersion, kind and name.

    Raises:
        SchemaTooOld: names each that is missing or older.
        ClusterError: they could not be read.
    """
    editions = await asyncio.gather(*(_edition(connection, dict(item)) for item in objects))
    wrong = [
        f"{item['kind']} {item['metadata']['name']} is {'missing' if found is None else f'edition {found}'}"
        for item, found in zip(objects, editions, strict=True)
        if found is None or found < needed
    ]
    if wrong:
        raise SchemaTooOld(f"needs edition {needed}: {'; '.join(wrong)}", hint="run: makima install")


async def _edition(connection: Connection, manifest: dict[str, Any]) -> int | None:
    try:
        body = await connection.request("GET", manifest_path(manifest), accept=METADATA_ONLY)
    except NotFound:
        return None
    text = (body["metadata"].get("annotations") or {}).get(SCHEMA_VERSION_ANNOTATION, "0")
    return int(text) if str(text).isdigit() else 0
