"""What the lines above the list say."""

from __future__ import annotations

from collections.abc import Collection

from rich.text import Text

from makima.tui.appearance import GREY, ORANGE, VERMILION, WHITE
from makima.tui.attention import Need
from makima.tui.caller import Caller
from makima.tui.filtering import Filter
from makima.tui.options import Options
from makima.tui.ordering import Sorting
from makima.tui.rows import Row


def title(rows: Collection[Row], shown: int, sorting: Sorting, options: Options) -> Text:
    """Where it looks, how many there are, how many need somebody, and what the list is sorted and narrowed by."""
    waiting = sum(row.need is Need.PERSON for row in rows)
    trouble = sum(row.need is Need.TROUBLE for row in rows)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(options.place or "makima", style=f"bold {WHITE}")
    text.append(f"  {_count(len(rows), 'contract')}", style=WHITE)
    text.append(f"  ◆ {waiting:,} waiting" if waiting else "  nobody is waited for", style=ORANGE if waiting else GREY)
    if trouble:
        text.append(f"  ! {trouble:,} in trouble", style=VERMILION)
    if shown != len(rows):
        text.append(f"  {shown:,} shown", style=WHITE)
    text.append(f"  by {sorting}", style=GREY)
    if options.text():
        text.append(f"  ({options.text()})", style=GREY)
    return text


def nothing_shown(rows: int, chosen: Filter, options: Options, connected: bool, caller: Caller) -> str:
    """What stands in the place of an empty list."""
    if not connected:
        return "Asking the Kubernetes API for contracts …"
    if rows and chosen.text:
        return f"None of {rows:,} contracts fits the filter “{chosen.text}”. Esc takes it away, / changes it."
    where = f" in {options.place}" if options.place else ""
    if options.text():
        asked = f"There is no contract{where} that was asked for: {options.text()}."
        return f"{asked} It comes up here as soon as there is one."
    create = caller.line("contracts", "create", "NAME", "--type", "simple")
    return f"There are no contracts{where} yet. Make one: {create}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
