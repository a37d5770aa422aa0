"""What a validator's answer is reduced to before anything else sees it: a status, where it ends up, has limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Self

MOST_ITEMS = 20
LONGEST_ITEM = 200
"""Items of `missing`, and characters of each; an item has to fit a line of the status."""


class ValidatorFailed(Exception):
    """The validator gave no usable answer; the text says what went wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer."""

    ready: bool
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, ready: bool, missing: Iterable[str], otherwise: str) -> Self:
        """An answer within the bounds.

        Args:
            ready: what the validator says.
            missing: in its own words; not looked at when it is ready.
            otherwise: what is shown when it is not ready and says nothing.
        """
        if ready:
            return cls(ready=True)
        named = tuple(line for line in map(one_line, islice(missing, MOST_ITEMS)) if line)
        return cls(ready=False, missing=named or (one_line(otherwise),))


def one_line(text: str, longest: int = LONGEST_ITEM) -> str:
    """The text without line breaks and control characters, at most `longest` characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text[: longest * 4])
    line = " ".join(printable.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
