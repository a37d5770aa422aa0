"""Orphaned worktrees: the operator is asked to look into a workspace, then to clear it up (spec.clearWorkspace)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from makima.client import Person
    from makima.domain.wishes.cleanup import Affected
    from makima.models.contract_status import WorkspaceStatus

PATIENCE = 120.0
"""Seconds for one workspace, where --timeout says nothing: a Job has to be scheduled, and its image pulled."""

ATTEMPTS = 3
"""How often it is asked again when a clearing that was under way already took the request's place."""


async def look(person: Person, item: Affected) -> str | None:
    """How many orphans there are; None where there are none; "failed: …" where nobody told."""
    try:
        found = await _asked(person, item, dry_run=True)
    except TimeoutError:
        return f"failed: nobody looked into the workspace within {PATIENCE:g} s; see: {_events(item)}"
    return f"{found.orphans} orphaned worktrees" if found.orphans else None


async def clear(person: Person, item: Affected) -> str:
    """What became of them."""
    removed = 0
    for _ in range(ATTEMPTS):
        try:
            before = await _place(person, item)
            found = await _asked(person, item, dry_run=False)
        except TimeoutError:
            return f"failed: not cleared within {PATIENCE:g} s; see: {_events(item)}"
        removed += found.worktrees_removed - (before.worktrees_removed if before is not None else 0)
        if not found.orphans or found.worktrees_failed:
            break
    left = f"; {found.worktrees_failed} could not be removed, see: {_events(item)}" if found.worktrees_failed else ""
    word = "failed: " if found.worktrees_failed else ""
    return f"{word}removed {removed} worktrees, {found.worktrees} stay{left}"


def _events(item: Affected) -> str:
    return f"kubectl -n {item.namespace} events --for contract/{item.name}"


async def _place(person: Person, item: Affected) -> WorkspaceStatus | None:
    from makima.models.contract import Contract

    contract = Contract.from_object(await person.cluster.get("contracts", item.namespace, item.name))
    return contract.status.workspace if contract.status is not None else None


async def _asked(person: Person, item: Affected, *, dry_run: bool) -> WorkspaceStatus:
    """Ask, and wait for the clearing after the last one.

    Raises:
        TimeoutError: none came.
    """
    before = await _place(person, item)
    made = before.clearings if before is not None else 0
    wish = {"clearWorkspace": {"expectedClearings": made, "dryRun": dry_run}}
    await person.cluster.merge("contracts", item.namespace, item.name, {"spec": wish})
    async with asyncio.timeout(PATIENCE):
        return await _cleared(person, item, made)


async def _cleared(person: Person, item: Affected, made: int) -> WorkspaceStatus:
    from makima.client.following import Changed, Listed, follow
    from makima.models.contract import Contract

    changes = follow(person.cluster, "contracts", item.namespace, fields=f"metadata.name={item.name}")
    async with aclosing(changes):
        async for change in changes:
            listed = change.bodies if isinstance(change, Listed) else ()
            for body in (change.body,) if isinstance(change, Changed) else listed:
                status = Contract.from_object(body).status
                if status is not None and status.workspace is not None and status.workspace.clearings > made:
                    return status.workspace
    raise AssertionError("a watch never ends by itself")
