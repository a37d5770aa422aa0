"""What the monitor was started with: `CONTRACT_IDS…`, `--status`, `--stale`, `--quiet` (plan 4.3), `--selector`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from makima.tui.filtering import Filter, Test, parse_filter
from makima.tui.source import Key

SHOWN = 2
"""Contracts named in a title; of more only their number."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options.

    Attributes:
        contracts: UIDs, names, `namespace/name` or `namespace:name`; empty = all.
        statuses: states in snake_case; empty = all.
        stale: only stale contracts.
        quiet: only important events.
        selector: only contracts with these labels, which the source sees to; "" = all.
        place: where it looks, for people; "" where that needs no word.
        note: what the person has to know about that.
    """

    contracts: Sequence[str] = ()
    statuses: Sequence[str] = ()
    stale: bool = False
    quiet: bool = False
    selector: str = ""
    place: str = ""
    note: str = ""

    def filter(self) -> Filter:
        """What is shown at all, whatever the person filters by."""
        tests: list[Test] = []
        if self.contracts:
            tests.append(_one_of(frozenset(self.contracts)))
        if self.statuses:
            tests += parse_filter(f"status:{','.join(self.statuses)}").tests
        if self.stale:
            tests += parse_filter("stale").tests
        return Filter(tests=tuple(tests))

    def mean_gone(self, key: Key, uid: str) -> bool:
        """Whether this contract was meant that is gone: by its name that can be told, by state and labels no more."""
        if self.statuses or self.stale or self.selector:
            return False
        return not self.contracts or not frozenset(self.contracts).isdisjoint(_names(key, uid))

    def text(self) -> str:
        """The same for people."""
        several = len(self.contracts) > SHOWN
        parts = [f"{len(self.contracts)} chosen" if several else ", ".join(self.contracts)] if self.contracts else []
        parts += [f"status {', '.join(self.statuses)}"] if self.statuses else []
        parts += ["stale"] if self.stale else []
        parts += [f"labels {self.selector}"] if self.selector else []
        return ", ".join(parts)


def _one_of(wanted: frozenset[str]) -> Test:
    return lambda row: not wanted.isdisjoint(_names(row.key, row.uid))


def _names(key: Key, uid: str) -> tuple[str, ...]:
    namespace, name = key
    return uid, name, f"{namespace}/{name}", f"{namespace}:{name}"
