"""Command lines that are printed to be pasted: by the name that was called, and to the cluster that was named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from makima.cli.contracts.text import plain

if TYPE_CHECKING:
    from makima.client import Place

CARRIED = {
    "contracts": ("context", "kubeconfig", "api", "token_file"),
    "kubectl": ("context", "kubeconfig"),
    "doctor": ("context", "kubeconfig"),
    "supervise": ("api",),
}
"""Program, or command of `makima` → what it can be told of a `Place`; others find their own way."""

IN_HINTS = re.compile(r"makima doctor\b|kubectl -n\b")
"""Beginnings of commands in what others than the command line say, makima's API for one: they know no place."""


def command_line(words: Sequence[str], program: str, place: Place) -> str:
    """Words of a command as they can be pasted into a shell; `contracts` first stands for `program`.

    What the command line said about the place is repeated; what comes from the environment is the same there anyway.
    """
    first = program if words[0] == "contracts" else words[0]
    return " ".join([first, *(shlex.quote(plain(word)) for word in _placed(words, place))])


def hint_line(text: str, program: str, place: Place) -> str:
    """What others say is to be done next, with the commands in it as they can be pasted."""
    return IN_HINTS.sub(lambda found: command_line(found[0].split(), program, place), text)


def _placed(words: Sequence[str], place: Place) -> list[str]:
    """Without the first word. kubectl takes options in front, as its own do; elsewhere `--` ends them."""
    options = _options(words, place)
    if words[0] == "kubectl":
        return [*options, *words[1:]]
    end = words.index("--") if "--" in words else len(words)
    return [*words[1:end], *options, *words[end:]]


def _options(words: Sequence[str], place: Place) -> list[str]:
    names = CARRIED.get(words[1] if words[0] == "makima" else words[0], ())
    if words[0] == "contracts" and not _names_namespace(words, place):
        names = ("namespace", *names)
    said = {name: getattr(place, name) for name in names}
    return [
        word
        for name, value in said.items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def _names_namespace(words: Sequence[str], place: Place) -> bool:
    """Whether the command has its namespace: alone, or as a contract's."""
    return "--namespace" in words or any(word.startswith(f"{place.namespace}/") for word in words)
