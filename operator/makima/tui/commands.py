"""What `:` finds: contracts by any part of their name, and commands (`ns NAME`, `inbox`, `sort NAME`, `q`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from makima.models.enums import ContractState
from makima.tui.ordering import Order
from makima.tui.source import Key

HITS = 20
"""Contracts offered at once."""


class Verb(StrEnum):
    """What a command does."""

    OPEN = "open"
    NAMESPACE = "ns"
    STATE = "state"
    SORT = "sort"
    INBOX = "inbox"
    HELP = "help"
    CLEAR = "clear"
    QUIT = "q"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be chosen.

    Attributes:
        text: what it is called.
        about: what it does.
        argument: namespace, state or order.
        key: the contract to open.
    """

    verb: Verb
    text: str
    about: str
    argument: str = ""
    key: Key | None = None


PLAIN = (
    Command(Verb.INBOX, "inbox", "everything that waits for a person, oldest first"),
    Command(Verb.NAMESPACE, "ns NAME", "only contracts of this namespace"),
    Command(Verb.STATE, "state NAME", "only contracts in this state"),
    Command(Verb.SORT, "sort NAME", "put the list in another order"),
    Command(Verb.CLEAR, "clear", "take the filter away"),
    Command(Verb.HELP, "help", "keys, symbols, filter"),
    Command(Verb.QUIT, "q", "leave the monitor"),
)
"""Offered before anything is typed."""


def find_commands(typed: str, keys: Iterable[Key]) -> list[Command]:
    """What fits what was typed: commands first, then contracts, those whose name begins so before others."""
    text = typed.strip().removeprefix(":").strip().lower()
    verb, _, rest = text.partition(" ")
    keys = list(keys)
    if verb in ("ns", "namespace") and rest.strip():
        return _namespaces(rest.strip(), keys)
    if verb == "state" and rest.strip():
        return [
            Command(Verb.STATE, f"state {state.snake}", f"only contracts that are {state}", state.snake)
            for state in ContractState
            if state.snake.startswith(rest.strip()) or state.value.lower().startswith(rest.strip())
        ]
    if verb == "sort" and rest.strip():
        return [
            Command(Verb.SORT, f"sort {order.name.lower()}", f"by {order.value}", order.name)
            for order in Order
            if order.name.lower().startswith(rest.strip()) or rest.strip() in order.value
        ]
    aliases = {"q!": "q", "quit": "q", "exit": "q"}
    plain = [item for item in PLAIN if item.text.split()[0].startswith(aliases.get(text, text))]
    return [*plain, *_contracts(text, keys)]


def _namespaces(text: str, keys: Sequence[Key]) -> list[Command]:
    found = sorted({namespace for namespace, _ in keys if text in namespace}, key=lambda n: (not n.startswith(text), n))
    return [Command(Verb.NAMESPACE, f"ns {name}", f"only contracts of {name}", name) for name in found[:HITS]]


def _contracts(text: str, keys: Sequence[Key]) -> list[Command]:
    words = text.replace("/", " ").split()
    found = [key for key in keys if all(word in f"{key[0]}/{key[1]}" for word in words)]
    found.sort(key=lambda key: (not key[1].startswith(text), len(key[1]), key))
    return [Command(Verb.OPEN, f"{space}/{name}", "open it", key=(space, name)) for space, name in found[:HITS]]
