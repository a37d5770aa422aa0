"""docs/reference/cli.md: every command of `makima contracts`, from the commands themselves."""

from __future__ import annotations

import inspect
from typing import Any

import click

from makima.cli.contracts import COMMANDS, group
from makima.cli.contracts.call import common
from makima.cli.contracts.exits import MEANING
from makima.cli.contracts.formats import MEANING as FORMATS
from makima.cli.contracts.persona import KUBECTL, MAKIMA

HEAD = """\
# Command line

`makima contracts …`; the same commands as a plugin of kubectl, `kubectl contracts …`. Whoever has a kubeconfig can use
them: contracts are read from the Kubernetes API, and wishes are written to `spec`, as the person in the kubeconfig.
makima's own API is asked, by the same kubeconfig, for what Kubernetes does not have; where it can't be reached, the
commands say so and go on with what Kubernetes alone gives.

An ID is a name, `namespace/name`, or a UID. Options that change nothing but the looks: `--no-color`, the variable
NO_COLOR. Completion: `eval "$(_MAKIMA_COMPLETE=bash_source makima)"` (or `zsh_source`, `fish_source`); kubectl
completes `kubectl contracts` by itself once its own completion is on. Times in text are UTC, as RFC 3339
(`2026-03-02T14:00:00Z`); how long ago something was is as kubectl writes ages.

Where the two names differ:

| | `makima contracts` | `kubectl contracts` |
|---|---|---|
| `-n` | the limit, of `list` and `inbox` | the namespace |
| `export -o`, `--output` | the file | the format |
"""


def cli_page() -> str:
    """The page as Markdown."""
    parts = [HEAD, "## Exit codes\n", _exit_codes(), "## Options of every command\n", _options(_common())]
    parts += ["## Output formats\n", _formats()]
    parts += [_command(name) for name in COMMANDS]
    return "\n".join(parts)


def _exit_codes() -> str:
    rows = "".join(f"| {code.value} | {text} |\n" for code, text in MEANING.items())
    return f"| code | meaning |\n|---|---|\n{rows}"


def _formats() -> str:
    rows = "".join(f"| `{name}` | {text} |\n" for name, text in FORMATS.items())
    return f"| `-o` | what it writes |\n|---|---|\n{rows}"


def _common() -> list[click.Parameter]:
    @click.command("any")
    @common
    def any_command(**_: Any) -> None:
        """Nothing: it has the options of all."""

    return any_command.params


def _command(name: str) -> str:
    found, kubectl = _loaded(name, MAKIMA), _loaded(name, KUBECTL)
    usage = found.collect_usage_pieces(click.Context(found, info_name=name))
    text = inspect.cleandoc(found.help or "").replace("\b\n", "")
    parts = [f"## {name}\n", f"`{MAKIMA} {name} {' '.join(usage)}`\n", f"{text}\n"]
    own = [option for option in found.params if isinstance(option, click.Option) and _is_own(option)]
    if own:
        parts.append(_options(own, {param.name: param for param in kubectl.params}))
    return "\n".join(parts)


def _loaded(name: str, program: str) -> click.Command:
    whole = group(program)
    found = whole.get_command(click.Context(whole), name)
    assert found is not None, f"{name} is in COMMANDS"
    return found


def _is_own(option: click.Option) -> bool:
    """Not one that all have, nor one that only says what does it instead."""
    return not option.hidden and option.name not in {param.name for param in _common()}


def _options(options: list[Any], kubectl: dict[str | None, click.Parameter] | None = None) -> str:
    rows = "".join(_row(option, (kubectl or {}).get(option.name)) for option in options)
    return f"| option | value | meaning |\n|---|---|---|\n{rows}"


def _row(option: click.Option, kubectl: click.Parameter | None) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    further = [name for name in (kubectl.opts if kubectl is not None else ()) if name not in option.opts]
    as_plugin = f"; as kubectl also {', '.join(f'`{name}`' for name in further)}" if further else ""
    value = "" if option.is_flag else _value(option)
    default = _default(option)
    return f"| {names}{as_plugin} | {value} | {_escaped(option.help or '')}{default} |\n"


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return _escaped(", ".join(f"`{choice}`" for choice in option.type.choices))
    return _escaped((option.metavar or option.type.name or "").lower())


def _default(option: click.Option) -> str:
    if not option.show_default or option.default is None:
        return ""
    return f" Default: {option.default}."


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
