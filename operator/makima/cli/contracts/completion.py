"""Completion of names from the cluster: quick, and silent where it fails (`cluster_words` asks it)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem

from makima.cli.contracts import cluster_words
from makima.cli.contracts.text import cut, plain

MOST = 200
"""Names that are offered."""

WIDTH = 60
"""Cells of what is said beside a name."""


def contracts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of contracts: of one namespace, or with their namespace where one is begun or all are meant."""
    separator = next((mark for mark in "/:" if mark in incomplete), "")
    namespace = incomplete.rpartition(separator)[0] if separator else ctx.params.get("namespace")
    everywhere = bool(ctx.params.get("all_namespaces")) and not separator
    found = cluster_words.names("contracts", ctx.params, None if everywhere else namespace, everywhere=everywhere)
    between = separator or "/"
    prefix = bool(separator) or everywhere
    return _begun((f"{space}{between}{name}" if prefix else name for space, name in found), incomplete)


def namespaces(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of namespaces."""
    found = cluster_words.names("namespaces", ctx.params, None, everywhere=True)
    return _begun((name for _, name in found), incomplete)


def contexts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Contexts of the kubeconfig."""
    return _begun(cluster_words.contexts(ctx.params), incomplete)


def types(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Types of contracts: the built-in ones, and those of the namespace."""
    from makima.domain.reconcile.builtin_types import BUILTIN_TYPES

    found = cluster_words.names("contracttypes", ctx.params, ctx.params.get("namespace"), everywhere=False)
    return _begun([*BUILTIN_TYPES, *(name for _, name in found)], incomplete)


def questions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the open questions of the contract that was named, and what they ask."""
    found = {str(item["id"]): str(item.get("question", "")) for item in _status(ctx).get("questions") or ()}
    return [CompletionItem(item, help=cut(plain(found[item]), WIDTH)) for item in _begun(found, incomplete)]


def deliverables(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the deliverables of the contract that was named; of one phase, where that was named too."""
    wanted = ctx.params.get("phase")
    phases = [phase for phase in _phases(ctx) if wanted in (None, phase["name"])]
    return _begun((item["id"] for phase in phases for item in phase.get("deliverables") or ()), incomplete)


def phases(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Phases of the contract that was named; without one, those of the built-in types."""
    from makima.domain.reconcile.builtin_types import BUILTIN_TYPES

    built_in = [phase.name for phases in BUILTIN_TYPES.values() for phase in phases]
    return _begun([phase["name"] for phase in _phases(ctx)] or built_in, incomplete)


def next_phases(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Where a contract can be moved to: its phases, and Completed after the last."""
    return _begun([*phases(ctx, param, ""), "Completed"], incomplete)


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})[:MOST]


def _phases(ctx: click.Context) -> Iterator[dict[str, Any]]:
    yield from _status(ctx).get("phases") or ()


def _status(ctx: click.Context) -> dict[str, Any]:
    """Status of the contract that was named; empty where there is none.

    While an option waits for its value, click has not given the words before it to the arguments.
    """
    wanted = ctx.params.get("contract") or next(iter(ctx.args), None)
    if wanted is None:
        return {}
    namespace, _, name = wanted.replace(":", "/").rpartition("/")
    found: dict[str, Any] = cluster_words.contract(ctx.params, namespace or ctx.params.get("namespace"), name)
    return found.get("status") or {}
