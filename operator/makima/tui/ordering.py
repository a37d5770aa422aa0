"""In which order the list stands. Every order ends with the name, so that rows never change places for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from makima.models.enums import ContractState
from makima.tui.rows import Row

STATES = {state: number for number, state in enumerate(ContractState)}


class Order(StrEnum):
    """What the list is sorted by; `s` goes through them."""

    NEED = "who needs a person"
    NAME = "name"
    STATE = "state"
    PHASE = "phase"
    SINCE = "waiting longest"
    HEARTBEAT = "oldest heartbeat"
    ACTIVITY = "latest activity"
    PROGRESS = "progress"
    RESTARTS = "restarts"
    AGE = "newest"


KEYS: dict[Order, Callable[[Row], tuple[Any, ...]]] = {
    Order.NEED: lambda row: (row.need, _oldest(row.attention.since) if row.need <= 1 else 0.0, row.key),
    Order.NAME: lambda row: (row.name, row.namespace),
    Order.STATE: lambda row: (STATES[row.state] if row.state else -1, row.key),
    Order.PHASE: lambda row: (row.type, row.step, row.key),
    Order.SINCE: lambda row: (_oldest(row.attention.since), row.key),
    Order.HEARTBEAT: lambda row: (row.silent_after is None, _oldest(row.heartbeat), row.key),
    Order.ACTIVITY: lambda row: (_newest(row.last_activity), row.key),
    Order.PROGRESS: lambda row: (row.progress is None, -(row.progress or 0), row.key),
    Order.RESTARTS: lambda row: (-row.restarts, row.key),
    Order.AGE: lambda row: (_newest(row.created), row.key),
}


def _oldest(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else float("inf")


def _newest(moment: datetime | None) -> float:
    return -moment.timestamp() if moment is not None else float("inf")


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order, and whether it is turned round."""

    order: Order = Order.NEED
    reverse: bool = False

    def next(self) -> Sorting:
        """The next order in line."""
        orders = list(Order)
        return Sorting(orders[(orders.index(self.order) + 1) % len(orders)])

    def by(self, order: Order) -> Sorting:
        """By this order; turned round if it is this order already."""
        return replace(self, reverse=not self.reverse) if order is self.order else Sorting(order)

    @property
    def grouped(self) -> bool:
        """Whether groups have headings."""
        return self.order is Order.NEED

    def __str__(self) -> str:
        """What the title of the list says."""
        return self.order.value + (" (reversed)" if self.reverse else "")


def in_order(rows: Iterable[Row], sorting: Sorting) -> list[Row]:
    """The rows as they stand in the list."""
    return sorted(rows, key=KEYS[sorting.order], reverse=sorting.reverse)
