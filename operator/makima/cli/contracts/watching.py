"""`--watch` of what is made of many contracts: drawn again at a terminal; else what is new, changed or over."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import click

from makima.cli.contracts.call import Call, Function, now
from makima.cli.contracts.formats import FOR_PEOPLE, as_json, say_data
from makima.cli.times import utc

if TYPE_CHECKING:
    from makima.client import Person
    from makima.client.picture import Picture

Item = TypeVar("Item")
EVERY = 5.0
"""Seconds until it is looked at again though nothing changed: ages grow, and silence becomes news."""


def watch_option(function: Function) -> Function:
    """`-w`."""
    text = "Go on: draw it again; without a terminal, say what changes."
    found: Function = click.option("-w", "--watch", is_flag=True, help=text)(function)
    return found


async def looks(
    person: Person, call: Call, places: Sequence[str | None], *, selector: str = "", fields: str = ""
) -> AsyncGenerator[Picture, None]:
    """The picture, again and again; says when it may be old."""
    from makima.client.picture import pictures

    lost = None
    found = pictures(person.cluster, places, selector=selector, fields=fields, every=EVERY)
    async with aclosing(found):
        async for picture in found:
            if picture.lost is not None and picture.lost != lost:
                call.screen.note(f"note: {picture.lost}; trying again")
            lost = picture.lost
            if picture.whole:
                yield picture


@dataclass(frozen=True, slots=True)
class Looks(Generic[Item]):
    """How one kind of thing is written.

    Attributes:
        key: what makes it the same thing as before.
        said: what must differ for it to be written again.
        value: for programs.
        line: for people, without a time; the flag says that it is over.
        all: everything, as without --watch.
    """

    key: Callable[[Item], Hashable]
    said: Callable[[Item], Any]
    value: Callable[[Item], dict[str, Any]]
    line: Callable[[Item, bool], str]
    name: Callable[[Item], str]
    all: Callable[[Sequence[Item]], None]


class Watched(Generic[Item]):
    """What was written so far."""

    def __init__(self, call: Call, form: str, looks: Looks[Item]) -> None:
        self._call, self._form, self._looks = call, form, looks
        self._before: dict[Hashable, Item] = {}

    def told(self, item: Item) -> bool:
        """Whether it was told of, so that its end is news, too; never so where everything is drawn again."""
        return self._looks.key(item) in self._before

    def show(self, items: Iterable[Item]) -> None:
        """Everything again at a terminal, else the differences to what was shown before."""
        there = {self._looks.key(item): item for item in items}
        if self._call.screen.terminal and self._form in FOR_PEOPLE:
            self._call.screen.clear()
            self._looks.all(tuple(there.values()))
            return
        for key, item in there.items():
            if key not in self._before or self._looks.said(self._before[key]) != self._looks.said(item):
                self._tell(item, over=False)
        for key, item in self._before.items():
            if key not in there:
                self._tell(item, over=True)
        self._before = there

    def _tell(self, item: Item, *, over: bool) -> None:
        screen = self._call.screen
        match self._form:
            case "json":
                screen.say(as_json(self._value(item, over)))
            case "yaml":
                screen.say("---")
                say_data(screen, "yaml", self._value(item, over))
            case "name":
                if not over:
                    screen.say(self._looks.name(item))
            case _:
                screen.say(f"{utc(now())}  {self._looks.line(item, over)}")

    def _value(self, item: Item, over: bool) -> dict[str, Any]:
        return {**self._looks.value(item), **({"over": True} if over else {})}
