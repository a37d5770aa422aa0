"""A tree of lines, and how it is drawn. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Mark(StrEnum):
    """What a line means, for whoever draws it; never by colour alone."""

    DONE = "done"
    CURRENT = "current"
    OPEN = "open"
    FAILED = "failed"
    ASKS = "asks"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Node:
    """One line, and the lines below it."""

    text: str
    mark: Mark = Mark.PLAIN
    children: tuple[Node, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a drawn tree: what stands before it, its mark, its text."""

    lead: str
    mark: Mark
    text: str


def lines(node: Node, *, ascii_only: bool = False) -> Sequence[Line]:
    """The tree, line by line, with its branches drawn."""
    tee, corner, bar = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
    found = [Line("", node.mark, node.text)]

    def below(parent: Node, lead: str) -> None:
        for number, child in enumerate(parent.children):
            last = number == len(parent.children) - 1
            found.append(Line(lead + (corner if last else tee), child.mark, child.text))
            below(child, lead + ("   " if last else bar))

    below(node, "")
    return found
