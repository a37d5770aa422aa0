"""Whether the cluster has the CRDs and policies that this code needs. On older ones an operator does not lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from makima.adapters.kubernetes.apply import manifest_path
from makima.adapters.kubernetes.connection import Connection
from makima.errors import MakimaError, NotFound
from makima.schema.version import SCHEMA_VERSION_ANNOTATION

CHECKED = ("CustomResourceDefinition", "ValidatingAdmissionPolicy")


class SchemaTooOld(MakimaError):
    """CRDs or policies are missing, or older than this version of makima needs."""


async def check_schema(connection: Connection, manifests: Sequence[Mapping[str, Any]], needed: int) -> None:
    """Compare the stamp of every CRD and policy among `manifests` with `needed`.

    Raises:
        SchemaTooOld: names each that is missing or older.
        ClusterError: they could not be read.
    """
    wrong = []
    for manifest in manifests:
        if manifest["kind"] in CHECKED:
            found = await _edition(connection, dict(manifest))
            if found is None or found < needed:
                state = "missing" if found is None else f"edition {found}"
                wrong.append(f"{manifest['kind']} {manifest['metadata']['name']} is {state}")
    if wrong:
        raise SchemaTooOld(f"needs edition {needed}: {'; '.join(wrong)}", hint="run: makima install")


async def _edition(connection: Connection, manifest: dict[str, Any]) -> int | None:
    try:
        body = await connection.request("GET", manifest_path(manifest))
    except NotFound:
        return None
    text = (body["metadata"].get("annotations") or {}).get(SCHEMA_VERSION_ANNOTATION, "0")
    return int(text) if str(text).isdigit() else 0
