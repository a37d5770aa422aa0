"""Contracts as rows of a table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from makima.cli.contracts.text import cut
from makima.domain.durations import format_duration
from makima.domain.reads.wait import Kind
from makima.domain.reads.waits import waits

if TYPE_CHECKING:
    from makima.models.contract import Contract

HEADINGS = ("NAME", "TYPE", "STATE", "PHASE", "STEP", "WAITING FOR", "LAST ACTIVITY", "AGE")
WIDE = ("SUPERVISOR", "RESTARTS", "VERSION", "UID", "MESSAGE")
WIDTH = 60
"""Characters of a sentence in a column."""


def headings(*, wide: bool, several_namespaces: bool) -> tuple[str, ...]:
    """Of the columns."""
    return (("NAMESPACE",) if several_namespaces else ()) + HEADINGS + (WIDE if wide else ())


def row(contract: Contract, now: datetime, *, wide: bool, several_namespaces: bool) -> list[str]:
    """The cells of one contract."""
    meta, status = contract.metadata, contract.status
    cells = [meta.namespace] if several_namespaces else []
    cells += [meta.name, contract.spec.type]
    cells += [status.state.value, status.phase, status.phase_progress or ""] if status is not None else ["", "", ""]
    cells += [shortened(waiting_for(contract, now))]
    cells += [_age(status.last_activity_time if status is not None else None, now), _age(meta.creation_timestamp, now)]
    return cells + (_wide(contract) if wide else [])


def waiting_for(contract: Contract, now: datetime) -> str:
    """What it waits for; "" for nothing."""
    found = waits(contract, None, now)[0]
    return "" if found.kind is Kind.NOTHING else found.what


def compact(contract: Contract, now: datetime) -> str:
    """One line."""
    meta, status = contract.metadata, contract.status
    where = f"{status.state} {status.phase} {status.phase_progress or ''}".rstrip() if status is not None else "-"
    what = waiting_for(contract, now)
    return f"{meta.namespace}/{meta.name} {where}" + (f": {what}" if what else "")


def where_it_stands(contract: Contract, now: datetime) -> str:
    """State, phase and what the columns of a wide list say, in one line."""
    meta, status = contract.metadata, contract.status
    if status is None:
        return f"not accepted yet, {_age(meta.creation_timestamp, now)} old, {meta.uid}"
    life, restarts, version, uid, _ = _wide(contract)
    carried = [f"supervisor {life}", f"restarts {restarts}"] if life else []
    moved = f"last activity {_age(status.last_activity_time, now)} ago"
    place = f"{status.state} in {status.phase} {status.phase_progress or ''}".rstrip()
    return ", ".join([place, *carried, f"version {version}", moved, uid])


def shortened(text: str) -> str:
    """A sentence that fits into a column."""
    return cut(text, WIDTH)


def _wide(contract: Contract) -> list[str]:
    status = contract.status
    if status is None:
        ready = next((item.message for item in contract.early_conditions if item.type == "Ready"), "")
        return ["", "", "", contract.metadata.uid, ready]
    carrier = status.supervisor_ref
    ready = next((item.message for item in status.conditions if item.type == "Ready"), "")
    life = f"{carrier.name} (life {carrier.incarnation})" if carrier is not None else ""
    restarts = str(carrier.restarts) if carrier is not None else ""
    return [life, restarts, str(status.version), contract.metadata.uid, ready]


def _age(moment: datetime | None, now: datetime) -> str:
    return format_duration(now - moment) if moment is not None else ""
