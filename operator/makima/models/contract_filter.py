"""What a list of contracts is asked for, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from makima.models.history import ContractRow, Place


@dataclass(frozen=True, slots=True)
class ContractFilter:
    """Contracts that fit all of this.

    Attributes:
        namespaces: only these; None = everywhere.
        statuses: states in snake_case; None = any.
        phases: names of phases, any of them; none = any. So are `types`.
        labels: labels that it has.
        stale: only those that are stale.
        threshold_seconds: silence that makes a contract stale; None = its own, or the usual one.
        usual_threshold_seconds: as configured.
        gone: those that are gone, instead of those that exist.
    """

    usual_threshold_seconds: float
    namespaces: frozenset[str] | None = None
    statuses: tuple[str, ...] | None = None
    phases: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    stale: bool = False
    threshold_seconds: float | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class ListedContract:
    """A contract of a list, and whether it is stale."""

    row: ContractRow
    stale: bool


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page of a list.

    Attributes:
        next: where the next page begins; None = there is none. There may be one after an empty page too.
    """

    contracts: tuple[ListedContract, ...]
    next: Place | None
