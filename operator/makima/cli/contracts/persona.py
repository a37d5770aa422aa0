"""By which name the commands were called: `makima contracts`, or `kubectl contracts` with kubectl's habits.

| | `makima contracts` | `kubectl contracts` |
|---|---|---|
| `-n` | the limit, of `list` | the namespace |
| `export --output` | the file | the format |

Everything else, long options above all, is the same.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import click

MAKIMA, KUBECTL = "makima contracts", "kubectl contracts"


@dataclass(frozen=True, slots=True)
class Persona:
    """How the commands are called.

    Attributes:
        program: what usage texts and hints begin with.
    """

    program: str

    @property
    def kubectl(self) -> bool:
        """Whether short options are kubectl's."""
        return self.program == KUBECTL


class Named(click.Option):
    """An option with further names, depending on how the command was called."""

    def __init__(self, *args: Any, makima: tuple[str, ...] = (), kubectl: tuple[str, ...] = (), **more: Any) -> None:
        self.further = {MAKIMA: makima, KUBECTL: kubectl}
        super().__init__(*args, **more)


def for_persona(command: click.Command, persona: Persona) -> click.Command:
    """The command with the option names of this persona; the given one stays as it is."""
    adapted = copy.copy(command)
    adapted.params = [_renamed(option, persona) for option in command.params]
    return adapted


def _renamed(option: click.Parameter, persona: Persona) -> click.Parameter:
    if not isinstance(option, Named):
        return option
    renamed = copy.copy(option)
    further = option.further[persona.program]
    short = [name for name in further if not name.startswith("--")]
    renamed.opts = [*short, *option.opts, *(name for name in further if name not in short)]
    return renamed
