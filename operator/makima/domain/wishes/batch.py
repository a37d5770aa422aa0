"""Which contracts a bulk operation is for, and what it says to each (plan 5.3). Decided anew for each, as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makima.domain.reconcile.activity import WATCHED, heard_status, is_stale
from makima.domain.reconcile.states import legacy_status
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState
from makima.models.wire.batch import WEEK, BatchRequest, Operation

S = ContractState

MEANT: Mapping[Operation, tuple[ContractState, ...]] = {
    Operation.ARCHIVE_OLD: (S.COMPLETED, S.FAILED),
    Operation.PAUSE_ALL: (S.CREATED, S.ACTIVE, S.WAITING_FOR_INPUT, S.BLOCKED),  # Completing is over in a moment
    Operation.RESUME_ALL: (S.PAUSED,),
    Operation.CLEANUP_ARCHIVED: (S.ARCHIVED,),
    Operation.RESTART_STALE: tuple(sorted(WATCHED)),
}
"""States of the contracts that each is for."""

AGED = (Operation.ARCHIVE_OLD, Operation.CLEANUP_ARCHIVED)
FILTERED = (Operation.ARCHIVE_OLD, Operation.PAUSE_ALL)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which contracts a run is for.

    Attributes:
        states: in one of these.
        before: in it since then at the latest; None = however long.
        suspended: whether `spec.suspend` has to say so; None = either.
        stale: only those of which nothing was heard.
    """

    states: tuple[ContractState, ...]
    before: datetime | None = None
    suspended: bool | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """The contract goes."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A merge patch of its spec."""

    spec: Mapping[str, Any]


Step = Patch | Delete


def wrong(request: BatchRequest, settings: Settings) -> tuple[str, str] | None:
    """A field that does not go with the operation or the feature flags, and why; None where all do."""
    operation = request.operation
    if operation is Operation.RESTART_STALE and not settings.supervisor_heartbeat:
        return "operation", f"{operation} is for supervisors, and there are none here (supervisor_heartbeat is off)"
    if request.older_than_hours is not None and operation not in AGED:
        return "older_than_hours", f"{operation} goes by no age; leave it out"
    if request.status_filter and operation not in FILTERED:
        return "status_filter", f"{operation} is for {_words(MEANT[operation])} only; leave it out"
    strange = [state for state in request.status_filter if not _chosen(operation, (state,), settings)]
    if strange:
        return "status_filter", f"{operation} is for {_words(MEANT[operation])}, not for {_words(strange)}"
    return None


def selection(request: BatchRequest, settings: Settings, now: datetime) -> Selection:
    """Which contracts it is for. Without the nine states a pause is no state: what is suspended may be in any."""
    operation = request.operation
    hours = request.older_than_hours if request.older_than_hours is not None else WEEK
    states = _chosen(operation, request.status_filter, settings)
    if operation is Operation.RESUME_ALL and not settings.enhanced_status:
        states = (*states, *sorted(WATCHED))
    suspended = {Operation.PAUSE_ALL: False, Operation.RESUME_ALL: True}.get(operation)
    before = now - timedelta(hours=hours) if operation in AGED else None
    return Selection(states, before, suspended, operation is Operation.RESTART_STALE)


def _chosen(operation: Operation, wanted: tuple[ContractState, ...], settings: Settings) -> tuple[ContractState, ...]:
    """Those of its states that are wanted; with the three old statuses each of them stands for several."""
    if not wanted:
        return MEANT[operation]
    if settings.enhanced_status:
        return tuple(state for state in MEANT[operation] if state in wanted)
    old = {legacy_status(state) for state in wanted}
    return tuple(state for state in MEANT[operation] if legacy_status(state) in old)


@dataclass(frozen=True, slots=True)
class Moment:
    """What a decision about one contract looks at beside the contract.

    Attributes:
        who: asks for it; goes into the reason of a pause.
        heard: last sign of life of the contract, where Postgres has one.
    """

    who: str
    settings: Settings
    now: datetime
    heard: datetime | None = None


def step(request: BatchRequest, contract: Contract, moment: Moment) -> Step | None:
    """What to do to this contract, as it is now; None = it is not, or no longer, meant."""
    status, settings, now = contract.status, moment.settings, moment.now
    if status is None or not _is_meant(selection(request, settings, now), contract, status):
        return None
    match request.operation:
        case Operation.ARCHIVE_OLD:
            return None if contract.spec.archived else Patch({"archived": True})
        case Operation.PAUSE_ALL:
            return Patch({"suspend": True, "suspendReason": f"pause_all by {moment.who}"[:1024]})
        case Operation.RESUME_ALL:
            return Patch({"suspend": False, "suspendReason": None})
        case Operation.CLEANUP_ARCHIVED:
            return Delete()
        case Operation.RESTART_STALE:
            silent = is_stale(contract.spec, heard_status(status, [moment.heard], now), settings, now)
            return _restart(contract, status) if silent else None


def _is_meant(chosen: Selection, contract: Contract, status: ContractStatus) -> bool:
    old_enough = chosen.before is None or status.state_changed_time <= chosen.before
    fits = chosen.suspended is None or contract.spec.suspend is chosen.suspended
    return status.state in chosen.states and old_enough and fits


def _restart(contract: Contract, status: ContractStatus) -> Patch | None:
    """Once for each life: a request for this one that is there already is not made again."""
    carried, asked = status.supervisor_ref, contract.spec.restart_supervisor
    if carried is None or (asked is not None and asked.expected_incarnation >= carried.incarnation):
        return None
    return Patch({"restartSupervisor": {"expectedIncarnation": carried.incarnation}})


def operations(body: Mapping[str, Any], patch: Patch) -> list[dict[str, Any]]:
    """The patch as a JSON patch of exactly this version of the object: another one in its place is a conflict."""
    version = {"op": "replace", "path": "/metadata/resourceVersion", "value": body["metadata"]["resourceVersion"]}
    same = {"op": "test", "path": "/metadata/uid", "value": body["metadata"]["uid"]}
    spec = body.get("spec")
    found = [same, version, *([] if spec is not None else [{"op": "add", "path": "/spec", "value": {}}])]
    for name, value in patch.spec.items():
        if value is not None:
            found.append({"op": "add", "path": f"/spec/{name}", "value": value})
        elif name in (spec or {}):
            found.append({"op": "remove", "path": f"/spec/{name}"})
    return found


def by_hand(operation: Operation) -> str:
    """The command that does the same with a person's own kubeconfig."""
    return {
        Operation.ARCHIVE_OLD: "kubectl contracts cleanup --archive --older-than 7d --force",
        Operation.PAUSE_ALL: "kubectl contracts pause NAME --reason …",
        Operation.RESUME_ALL: "kubectl contracts resume NAME",
        Operation.CLEANUP_ARCHIVED: "kubectl contracts cleanup --delete-archived --older-than 7d --force",
        Operation.RESTART_STALE: "kubectl contracts restart-supervisor NAME",
    }[operation]


def _words(states: tuple[ContractState, ...] | list[ContractState]) -> str:
    return ", ".join(state.snake for state in states)
