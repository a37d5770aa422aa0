"""Which way to makima's API a place names, and whose token goes with it."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from makima.client.api import Api
from makima.client.api_transport import AggregatedTransport, DirectTransport, Token
from makima.client.place import Place
from makima.errors import MakimaError

if TYPE_CHECKING:
    from makima.adapters.kubernetes.connection import Connection


async def open_api(place: Place, connection: Connection, ends: AsyncExitStack) -> Api:
    """The way to makima's API that the place names.

    Raises:
        MakimaError: the token file can't be read.
    """
    url = place.api_url
    if url is None:
        return Api(AggregatedTransport(connection), aggregated=True, where="the aggregated API of the cluster")
    import aiohttp  # noqa: PLC0415  # heavy

    from makima.tls_connections import tls_connector  # noqa: PLC0415  # it comes with aiohttp

    session = await ends.enter_async_context(aiohttp.ClientSession(connector=tls_connector(True)))
    token = token_of(place, connection)
    await token(False)  # a file that can't be read is said before anything is done
    return Api(DirectTransport(session, url, token), aggregated=False, where=url)


def token_of(place: Place, connection: Connection) -> Token:
    """Where the bearer token comes from: the named file, the environment, else the kubeconfig.

    Its calls raise MakimaError: the file can't be read, or the plugin gives none.
    """
    named = place.token_file or os.environ.get("MAKIMA_TOKEN_FILE")
    given = os.environ.get("MAKIMA_TOKEN")

    async def token(refused: bool) -> str | None:
        if named:
            return _read_token(Path(named))
        return given or await connection.bearer_token(refused=refused)

    return token


def _read_token(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise MakimaError(f"the token can't be read: {error}", "see --token-file and MAKIMA_TOKEN_FILE") from None
