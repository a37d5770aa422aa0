"""What a clean-up would affect (plan 4.2): contracts to archive, archived ones to delete, workspaces to clear."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from makima.domain.reconcile.outbox import KEPT, unrecorded
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState


class Action(StrEnum):
    """What is done to a contract."""

    ARCHIVE = "archive"
    DELETE = "delete"
    CLEAR_WORKTREES = "clear worktrees"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which kinds of clean-up.

    Attributes:
        older_than: contracts that finished, or were archived, longer ago than this.
    """

    archive: bool = False
    delete_archived: bool = False
    worktrees: bool = False
    older_than: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Affected:
    """One contract that a clean-up affects.

    Attributes:
        since: when it finished or was archived; when its workspace was cleared last.
        held: why it is left alone after all.
    """

    action: Action
    uid: str
    namespace: str
    name: str
    since: datetime | None
    held: str | None = None


def affected(contracts: Iterable[Contract], wanted: Wanted, now: datetime) -> Iterator[Affected]:
    """What a clean-up would do, contract by contract, in the order in which it has to be done.

    A contract is archived or deleted, never both at once; its worktrees go first, as a deleted one can't be asked.
    """
    for contract in contracts:
        status = contract.status
        if status is None or contract.metadata.deleting:
            continue
        yield from _one(contract, status, wanted, now - wanted.older_than)


def _one(contract: Contract, status: ContractStatus, wanted: Wanted, before: datetime) -> Iterator[Affected]:
    if wanted.worktrees and contract.spec.workspace is not None:
        last = status.workspace.cleared_time if status.workspace is not None else None
        yield _affected(Action.CLEAR_WORKTREES, contract, last)
    finished = status.finished_time or status.state_changed_time
    if wanted.archive and status.state in ENDED and not contract.spec.archived and finished < before:
        yield _affected(Action.ARCHIVE, contract, finished)
    archived = status.state is ContractState.ARCHIVED
    if wanted.delete_archived and archived and status.state_changed_time < before:
        yield _affected(Action.DELETE, contract, status.state_changed_time, _unrecorded(status))


def held_by_worktrees(item: Affected, uncleared: Collection[str]) -> str | None:
    """Why a deletion has to wait: with the contract, nobody would know of the worktrees any more.

    Args:
        uncleared: UIDs of contracts whose worktrees could not be looked for, or not be cleared.
    """
    return "its worktrees were not cleared" if item.action is Action.DELETE and item.uid in uncleared else None


def _affected(action: Action, contract: Contract, since: datetime | None, held: str | None = None) -> Affected:
    meta = contract.metadata
    return Affected(action, meta.uid, meta.namespace, meta.name, since, held)


def _unrecorded(status: ContractStatus) -> str | None:
    """A deleted contract takes with it what Postgres does not have; the acknowledgement may lag by one write."""
    missing = unrecorded(status, status.recorded_version or 0)
    if len(missing) <= LAG:
        return None
    return f"{len(missing)} versions are not in the history yet; is Postgres away?"


ENDED = frozenset({ContractState.COMPLETED, ContractState.FAILED})

LAG = KEPT
"""recordedVersion rides on the next status write, and an archived contract gets none: the last always seem open."""
