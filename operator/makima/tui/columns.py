"""The columns of the list, and which of them fit: the important ones stay, the others come with a wider terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len, set_cell_size

from makima.tui.ages import age
from makima.tui.appearance import GREY, ORANGE, SUPERVISOR_STATES, VERMILION, WHITE, progress_bar, state_look, step_bar
from makima.tui.attention import Need
from makima.tui.ordering import Order
from makima.tui.rows import Row

GAP = 2
ELLIPSIS = "…"
END = 6
"""Characters at the end of a name that stay: of names that were made by one pattern, all that tells them apart."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one place of the list shows; `short` where `text` does not fit. `ended`: its end matters, as in a name."""

    text: str
    colour: str = WHITE
    strong: bool = False
    short: str = ""
    ended: bool = False

    def fitted(self, width: int, right: bool = False) -> str:
        """The text in exactly `width` cells."""
        chosen = self.short if self.short and cell_len(self.text) > width else self.text
        return fitted(middle_cut(chosen, width) if self.ended else chosen, width, right)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        width: least width.
        widest: most that it takes of the room that is left over.
        share: its part of that room; 0 = always `width`.
        rank: the lower, the longer it stays when the terminal gets narrow.
        order: what a click on its heading sorts by.
    """

    heading: str
    width: int
    cell: Callable[[Row, datetime], Cell]
    rank: int
    order: Order
    share: int = 0
    widest: int = 0
    right: bool = False


def _state(row: Row, _: datetime) -> Cell:
    if row.state is None and row.need is not Need.TROUBLE:
        return Cell("· New", GREY)
    look = state_look(row.state)
    if row.stale:
        return Cell(f"{look.symbol} {look.word}, stale"[:16] if row.need is Need.PERSON else "! Stale", VERMILION, True)
    return Cell(look.text, look.colour, row.need <= Need.TROUBLE)


def _name(row: Row, _: datetime) -> Cell:
    return Cell(row.name, WHITE, row.need <= Need.TROUBLE, ended=True)


def _namespace(row: Row, _: datetime) -> Cell:
    return Cell(row.namespace, GREY, ended=True)


def _phase(row: Row, _: datetime) -> Cell:
    if not row.steps:
        return Cell("", GREY)
    colour = GREY if row.need in (Need.DONE, Need.PAUSED) else WHITE
    short = f"{step_bar(row.step, row.steps, row.done)} {row.step}/{row.steps}"
    return Cell(f"{short} {row.phase}", colour, short=short)


def _doing(row: Row, _: datetime) -> Cell:
    if row.need is Need.RUNNING and row.activity:
        return Cell(row.activity, GREY)
    colours = {Need.PERSON: ORANGE, Need.TROUBLE: VERMILION}
    return Cell(row.attention.text, colours.get(row.need, GREY))


def _since(row: Row, now: datetime) -> Cell:
    return Cell(age(row.attention.since, now), ORANGE if row.need is Need.PERSON else GREY)


def _supervisor(row: Row, _: datetime) -> Cell:
    if row.supervisor is None:
        return Cell("– none", GREY)
    look = SUPERVISOR_STATES[row.supervisor]
    return Cell(look.text, look.colour)


def _heartbeat(row: Row, now: datetime) -> Cell:
    if row.overdue(now):
        return Cell(f"! {age(row.heartbeat, now)}", VERMILION, True)
    return Cell(age(row.heartbeat, now) if row.silent_after is not None else "–", GREY)


def _progress(row: Row, _: datetime) -> Cell:
    return Cell("" if row.progress is None else f"{progress_bar(row.progress, 5)} {row.progress:3}%", GREY)


def _restarts(row: Row, _: datetime) -> Cell:
    return Cell(str(row.restarts), VERMILION if row.restarts else GREY)


def _age(row: Row, now: datetime) -> Cell:
    return Cell(age(row.created, now), GREY)


def _type(row: Row, _: datetime) -> Cell:
    return Cell(row.type, GREY)


WORDS = Column("Waits for / does", 16, _doing, 0, Order.NEED, share=6, widest=200)

COLUMNS: tuple[Column, ...] = (
    Column("State", 12, _state, 0, Order.STATE),
    Column("Namespace", 9, _namespace, 4, Order.NAME, share=1, widest=20),
    Column("Contract", 16, _name, 0, Order.NAME, share=2, widest=40),
    Column("Phase", 9, _phase, 1, Order.PHASE, share=4, widest=22),
    WORDS,
    Column("Since", 5, _since, 0, Order.SINCE, right=True),
    Column("Supervisor", 18, _supervisor, 3, Order.STATE),
    Column("Progress", 10, _progress, 6, Order.PROGRESS),
    Column("Beat", 6, _heartbeat, 2, Order.HEARTBEAT, right=True),
    Column("Restarts", 8, _restarts, 7, Order.RESTARTS, right=True),
    Column("Age", 5, _age, 5, Order.AGE, right=True),
    Column("Type", 10, _type, 8, Order.PHASE, share=1, widest=16),
)

Layout = tuple[tuple[Column, int], ...]
"""Columns that fit, with their widths."""


def layout(width: int, without: Sequence[str] = ()) -> Layout:
    """The columns that fit into `width` cells, important ones first; what is left over goes to those that have a share.

    Args:
        without: headings of columns that say nothing at the moment.
    """
    chosen = [column for column in COLUMNS if column.heading not in without]
    words = max(0, width // 4 - WORDS.width)  # a column of words is worth more than one more column
    while _total(chosen) + words > width:
        if max(column.rank for column in chosen) == 0:
            break
        chosen.remove(max(chosen, key=lambda column: column.rank))
    widths = _spread(chosen, max(0, width - _total(chosen)))
    return tuple(zip(chosen, widths, strict=True))


def _total(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _spread(columns: Sequence[Column], left: int) -> list[int]:
    widths = [column.width for column in columns]
    growing = [index for index, column in enumerate(columns) if column.share]
    while left > 0 and growing:
        shares = sum(columns[index].share for index in growing)
        given = 0
        for index in list(growing):
            column = columns[index]
            more = min(max(1, left * column.share // shares), left - given, column.widest - widths[index])
            widths[index] += more
            given += more
            if widths[index] >= column.widest:
                growing.remove(index)
        left -= given
        if not given:
            break
    return widths


def middle_cut(name: str, width: int) -> str:
    """A name in at most `width` characters, with its beginning and its end."""
    if len(name) <= width or width < 2 * END:
        return name
    return f"{name[: width - END - 1]}{ELLIPSIS}{name[-END:]}"


def fitted(text: str, width: int, right: bool = False) -> str:
    """The text in exactly `width` cells; what does not fit ends in an ellipsis. Control characters become blanks."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    if cell_len(clean) > width:
        return set_cell_size(clean, max(0, width - 1)) + ELLIPSIS if width else ""
    return set_cell_size(" " * (width - cell_len(clean)) + clean if right else clean, width)
