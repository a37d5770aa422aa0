"""A sandbox that contracts can be applied to: started, with CRDs, policies and the history's schema in place."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from makima import database
from makima.errors import MakimaError
from makima.wiring import install

if TYPE_CHECKING:
    from makima.sandbox import Sandbox


def start_ready(
    name: str,
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    node: bool = False,
    ends_with: int | None = None,
) -> Sandbox:
    """Start a sandbox that contracts can be applied to: manifests installed, database migrated.

    Raises:
        MakimaError: says what does not work and what to do.
    """
    try:
        from makima.sandbox import Own, start  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        hint = "pip install 'makima-operator[sandbox]'"
        raise MakimaError(f"the sandbox needs {error.name}, which is not installed", hint) from None
    own = Own(kubeconfig, context, os.environ.get("MAKIMA_DATABASE_URL"))
    found = start(name, own=own, node=node, ends_with=ends_with)
    database.upgrade(found.database.url, "head", 60)
    asyncio.run(install(found.cluster.kubeconfig))
    return found
