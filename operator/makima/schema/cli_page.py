"""docs/reference/cli.md: every command of `makima contracts`, from the commands themselves."""

from __future__ import annotations

from typing import Any

import click

from makima.cli.contracts import COMMANDS, group
from makima.cli.contracts.call import common
from makima.cli.contracts.exits import MEANING
from makima.cli.contracts.formats import MEANING as FORMATS
from makima.cli.contracts.persona import KUBECTL, MAKIMA
from makima.schema.option_tables import is_shown, option_table, unwrapped

HEAD = """\
# Command line

`makima contracts …`; the same commands as a plugin of kubectl, `kubectl contracts …`. Whoever has a kubeconfig can use
them: contracts are read from the Kubernetes API, and wishes are written to `spec`, as the person in the kubeconfig.
makima's own API is asked, by the same kubeconfig, for what Kubernetes does not have; where it can't be reached, the
commands say so and go on with what Kubernetes alone gives.

An ID is a name, `namespace/name`, or a UID. Options that change nothing but the looks: `--no-color`, the variable
NO_COLOR. Completion: `eval "$(_MAKIMA_COMPLETE=bash_source makima)"` (or `zsh_source`, `fish_source`); kubectl
completes `kubectl contracts` by itself once its own completion is on. Times in text are UTC, as RFC 3339
(`2026-03-02T14:00:00Z`); how long ago something was is as kubectl writes ages. Commands that are printed (by `inbox`,
`show`, `health`, and where it is said what to do next) can be pasted: they begin with the name that was called, and
repeat what the command line said about the cluster.

What runs, installs and examines makima (`makima operator`, `supervise`, `doctor`, …): [commands](commands.md).

Where the two names differ:

| | `makima contracts` | `kubectl contracts` |
|---|---|---|
| `-n` | the limit, of `list` and `inbox` | the namespace |
| `export -o`, `--output` | the file | the format |
"""


def cli_page() -> str:
    """The page as Markdown."""
    parts = [HEAD, "## Exit codes\n", _exit_codes(), "## Options of every command\n", option_table(_common())]
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
    text = unwrapped(found.help or "")
    parts = [f"## {name}\n", f"`{MAKIMA} {name} {' '.join(usage)}`\n", f"{text}\n"]
    common = {param.name for param in _common()}
    own = [param for param in found.params if is_shown(param) and param.name not in common]
    if own:
        parts.append(option_table(own, {param.name: param.opts for param in kubectl.params}))
    if found.epilog:
        parts.append(f"{found.epilog}\n")
    return "\n".join(parts)


def _loaded(name: str, program: str) -> click.Command:
    whole = group(program)
    found = whole.get_command(click.Context(whole), name)
    assert found is not None, f"{name} is in COMMANDS"
    return found
