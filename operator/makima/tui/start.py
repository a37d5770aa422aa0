"""Start the monitor: as the person of a kubeconfig, on this terminal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace

from makima.client import Place, connect
from makima.client.finding import Visible, is_uid, split_name, visible
from makima.errors import MakimaError
from makima.tui.app import MonitorApp
from makima.tui.caller import Caller
from makima.tui.live import LiveSource
from makima.tui.options import Options

SHOWN = 2
"""Namespaces named in the title; of more only their number."""


def run(
    place: Place,
    *,
    contracts: Sequence[str] = (),
    statuses: Sequence[str] = (),
    stale: bool = False,
    quiet: bool = False,
    all_namespaces: bool = False,
    selector: str = "",
    seconds: float | None = None,
    colours: bool = True,
    caller: Caller,
) -> None:
    """Until the person leaves, or these seconds are over.

    Args:
        contracts: UIDs, names, `namespace/name` or `namespace:name`; looked for in the namespaces that are named.
        statuses: states in snake_case.
        selector: labels that contracts have to have, as kubectl writes them.
        colours: False = greys only, as with NO_COLOR.
        caller: how commands are written, and what to do about an error of an action.

    Raises:
        MakimaError: the person may not look there, or there is no cluster; the terminal is as it was.
    """
    if not colours:
        os.environ["NO_COLOR"] = "1"  # Textual looks there
    options = Options(tuple(contracts), tuple(statuses), stale, quiet, selector)
    asyncio.run(_run(place, options, all_namespaces, seconds, caller))


async def _run(place: Place, options: Options, everywhere: bool, seconds: float | None, caller: Caller) -> None:
    async with connect(place) as person:
        namespaces = _namespaces(options.contracts, person.namespace, everywhere)
        scope = Visible(namespaces) if namespaces is not None else await visible(person)
        if scope.namespaces == ():
            raise MakimaError(
                "FORBIDDEN: you may not list contracts in any namespace that can be known",
                "ask an administrator for the role makima-view, or name a namespace that is yours",
            )
        source = LiveSource(person, scope.namespaces, options.selector)
        app = MonitorApp(source, placed(options, scope, person.namespace), seconds=seconds, caller=caller)
        await app.run_async()
        if app.ended_by is not None:
            raise app.ended_by


def placed(options: Options, scope: Visible, namespace: str) -> Options:
    """The options with where that is: a bare name is that of one contract, in the namespace of the kubeconfig."""
    named = tuple(name if is_uid(name) else "/".join(split_name(name, namespace)) for name in options.contracts)
    return replace(options, contracts=named, place=_words(scope.namespaces), note=scope.note or "")


def _words(namespaces: Sequence[str] | None) -> str:
    if namespaces is None:
        return "all namespaces"
    return ", ".join(namespaces) if len(namespaces) <= SHOWN else f"{len(namespaces)} namespaces"


def _namespaces(contracts: Sequence[str], namespace: str, everywhere: bool) -> tuple[str, ...] | None:
    """Where to look; None = wherever the person may, as for a UID."""
    if any(is_uid(name) for name in contracts):
        return None
    if contracts:
        return tuple(sorted({split_name(name, namespace)[0] for name in contracts}))
    return None if everywhere else (namespace,)
