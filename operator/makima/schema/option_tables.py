"""What commands say of themselves as Markdown: of click's commands, and of typer's, whose classes are others."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

WORDS = {"str": "text", "list[str]": "text", "float range": "number", "int range": "number"}
"""How typer writes a type → how it stands here."""

HEAD = "| option | value | meaning |\n|---|---|---|\n"


def is_shown(option: Any) -> bool:
    """Whether it is an option that help shows."""
    return option.param_type_name == "option" and not option.hidden


def option_table(options: Iterable[Any], further: Mapping[str | None, Sequence[str]] | None = None) -> str:
    """The options, one a row.

    Args:
        further: parameter → names that it has for kubectl.
    """
    return HEAD + "".join(_row(option, (further or {}).get(option.name, ())) for option in options)


def argument_table(arguments: Iterable[Any]) -> str:
    """Arguments that say what they are, one a row; "" where there are none."""
    told = [item for item in arguments if item.param_type_name == "argument" and getattr(item, "help", None)]
    rows = "".join(f"| `{_argument(item)}` | {escaped(item.help)}{_default(item)} |\n" for item in told)
    return f"| argument | meaning |\n|---|---|\n{rows}" if rows else ""


def unwrapped(text: str) -> str:
    """A help text as paragraphs, without click's marks for lines that stay as they are."""
    return inspect.cleandoc(text).replace("\b\n", "")


def escaped(text: str) -> str:
    """Text in a cell."""
    return text.replace("|", "\\|")


def _row(option: Any, further: Sequence[str]) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    new = [name for name in further if name not in option.opts]
    as_plugin = f"; as kubectl also {', '.join(f'`{name}`' for name in new)}" if new else ""
    variable = f" Variable: {option.envvar}." if option.envvar else ""
    value = "" if option.is_flag else _value(option)
    more = f"{variable}{' Required.' if option.required else _default(option)}"
    return f"| {names}{as_plugin} | {value} | {escaped(option.help or '')}{more} |\n"


def _argument(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _value(option: Any) -> str:
    if hasattr(option, "display_type"):
        return escaped(_value_for_typer(option))
    if choices := getattr(option.type, "choices", None):
        return escaped(", ".join(f"`{choice}`" for choice in choices))
    return escaped((option.metavar or option.type.name or "").lower())


def _value_for_typer(option: Any) -> str:
    written = str(option.metavar or option.display_type(None)).strip("<>")
    if "|" in written:
        return ", ".join(f"`{choice}`" for choice in written.split("|"))
    return WORDS.get(written, written).lower()


def _default(parameter: Any) -> str:
    if not parameter.show_default or parameter.default in (None, False, ()) or parameter.required:
        return ""
    if getattr(parameter, "is_flag", False):
        return f" Default: `{parameter.opts[0]}`."
    return f" Default: {parameter.default}."
