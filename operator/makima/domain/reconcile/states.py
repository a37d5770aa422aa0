"""The state table, the only truth about which state follows which (design, "States").

The CRD rule, the admission messages, `docs/reference/states.md` and every decision are made from `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

from makima.models.enums import ContractState, LegacyStatus

S = ContractState

TRANSITIONS: Mapping[ContractState, frozenset[ContractState]] = MappingProxyType(
    {
        S.CREATED: frozenset({S.ACTIVE, S.PAUSED, S.FAILED, S.ARCHIVED}),
        S.ACTIVE: frozenset({S.WAITING_FOR_INPUT, S.PAUSED, S.BLOCKED, S.COMPLETING, S.FAILED}),
        S.WAITING_FOR_INPUT: frozenset({S.ACTIVE, S.PAUSED, S.BLOCKED, S.COMPLETING, S.FAILED}),
        S.BLOCKED: frozenset({S.ACTIVE, S.WAITING_FOR_INPUT, S.PAUSED, S.FAILED}),
        S.PAUSED: frozenset({S.CREATED, S.ACTIVE, S.WAITING_FOR_INPUT, S.BLOCKED, S.FAILED, S.ARCHIVED}),
        S.COMPLETING: frozenset({S.COMPLETED, S.ACTIVE, S.FAILED}),
        S.COMPLETED: frozenset({S.ARCHIVED}),
        S.FAILED: frozenset({S.ACTIVE, S.ARCHIVED}),
        S.ARCHIVED: frozenset(),
    }
)

FINISHED = frozenset({S.COMPLETED, S.FAILED, S.ARCHIVED})
"""Nothing happens in these by itself."""

RUNNING = frozenset({S.ACTIVE, S.WAITING_FOR_INPUT, S.BLOCKED})
"""Work may go on and phases may move."""


def may_follow(old: ContractState, new: ContractState) -> bool:
    """Whether a contract in state `old` may next be in state `new`; staying is always allowed."""
    return new == old or new in TRANSITIONS[old]


def legacy_status(state: ContractState) -> LegacyStatus:
    """What clients older than the plan's phase 1 see (design, "States")."""
    match state:
        case S.CREATED | S.ACTIVE | S.WAITING_FOR_INPUT | S.PAUSED | S.BLOCKED | S.COMPLETING:
            return LegacyStatus.ACTIVE
        case S.COMPLETED | S.FAILED:
            return LegacyStatus.COMPLETED
        case S.ARCHIVED:
            return LegacyStatus.ARCHIVED
        case _:
            assert_never(state)
