"""Start the monitor: as the person of a kubeconfig, on this terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from makima.client import Place, connect
from makima.client.finding import is_uid, split_name, visible
from makima.errors import MakimaError
from makima.tui.app import MonitorApp
from makima.tui.live import LiveSource
from makima.tui.options import Options


def run(
    place: Place,
    *,
    contracts: Sequence[str] = (),
    statuses: Sequence[str] = (),
    stale: bool = False,
    quiet: bool = False,
    all_namespaces: bool = False,
    seconds: float | None = None,
) -> None:
    """Until the person leaves, or these seconds are over.

    Args:
        contracts: UIDs, names, `namespace/name` or `namespace:name`; looked for in the namespaces that are named.
        statuses: states, or the plan's three old statuses.

    Raises:
        MakimaError: the person may not look there, or there is no cluster; the terminal is as it was.
    """
    options = Options(tuple(contracts), tuple(statuses), stale, quiet)
    asyncio.run(_run(place, options, all_namespaces, seconds))


async def _run(place: Place, options: Options, everywhere: bool, seconds: float | None) -> None:
    async with connect(place) as person:
        namespaces = _namespaces(options.contracts, person.namespace, everywhere)
        if namespaces is None:
            namespaces = (await visible(person)).namespaces
        if namespaces == ():
            raise MakimaError(
                "FORBIDDEN: you may not list contracts in any namespace",
                "ask an administrator for the role makima-view, or name a namespace that is yours",
            )
        app = MonitorApp(LiveSource(person, namespaces), options, seconds=seconds)
        await app.run_async()
        if app.ended_by is not None:
            raise app.ended_by


def _namespaces(contracts: Sequence[str], namespace: str, everywhere: bool) -> tuple[str, ...] | None:
    """Where to look; None = wherever the person may, as for a UID."""
    if any(is_uid(name) for name in contracts):
        return None
    if contracts:
        return tuple(sorted({split_name(name, namespace)[0] for name in contracts}))
    return None if everywhere else (namespace,)
