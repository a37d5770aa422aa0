"""Options that fingers know from kubectl, on commands that have no use for them: it is said what does it instead."""

from __future__ import annotations

from typing import Any

import click

OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "all_namespaces": (("-A", "--all-namespaces"), {"is_flag": True}),
    "selector": (("-l", "--selector"), {"metavar": "LABELS"}),
}
"""Parameter → its names, and how it is written."""

ONE = "{command} is about one contract: its name, namespace/name or UID; to find it: {group} list {said}"
INSTEAD = {
    "create": "create makes one contract, in --namespace; its labels: --label KEY=VALUE",
    "batch": "batch chooses by state and age, in makima's API, not by labels; by labels: {group} cleanup {said}, "
    "or a command for each of: {group} list {said} -o name",
}
"""Command → what is said; else `ONE`."""


def refusing(command: click.Command) -> list[click.Parameter]:
    """These options, hidden, as far as the command has not its own."""
    there = {param.name for param in command.params}
    return [_refusing(name) for name in OPTIONS if name not in there]


def _refusing(name: str) -> click.Option:
    names, written = OPTIONS[name]
    return click.Option([*names, name], hidden=True, expose_value=False, callback=_refuse, **written)


def _refuse(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Say what to do instead, where the option was given."""
    if not value:
        return
    said = _as_given(param, value)
    text = INSTEAD.get(str(ctx.info_name), ONE)
    group = ctx.parent.command_path if ctx.parent is not None else ""
    raise click.UsageError(text.format(command=ctx.info_name, group=group, said=said), ctx)


def _as_given(param: click.Parameter, value: Any) -> str:
    import shlex

    return param.opts[0] if value is True else f"{param.opts[0]} {shlex.quote(value)}"
