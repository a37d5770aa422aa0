"""What the API server lets into a contract's status, restated from the design without a look at the domain.

CRD rules and admission policies say the same in CEL; here it is said a third time, so that a decision the cluster would
refuse fails a test that takes a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping

from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus

TABLE = {
    "Created": "Active Paused Failed Archived",
    "Active": "WaitingForInput Paused Blocked Completing Failed",
    "WaitingForInput": "Active Paused Blocked Completing Failed",
    "Blocked": "Active WaitingForInput Paused Failed",
    "Paused": "Created Active WaitingForInput Blocked Failed Archived",
    "Completing": "Completed Active Failed",
    "Completed": "Archived",
    "Failed": "Active Archived",
    "Archived": "",
}
"""The design's table, typed off the page."""

ROUTES: Mapping[str, tuple[str, ...]] = {
    "Created": (),
    "Active": ("Active",),
    "WaitingForInput": ("Active", "WaitingForInput"),
    "Blocked": ("Active", "Blocked"),
    "Paused": ("Paused",),
    "Completing": ("Active", "Completing"),
    "Completed": ("Active", "Completing", "Completed"),
    "Failed": ("Failed",),
    "Archived": ("Archived",),
}
"""How to get to each state from Created."""


class WriteRefusedError(AssertionError):
    """The API server would not store this status."""


def check_status_write(contract: Contract, new: ContractStatus, *, recorded: int) -> None:
    """Refuse what the API server refuses, and what would lose history.

    Args:
        contract: as stored before the write.
        recorded: highest version that Postgres is known to have.

    Raises:
        WriteRefusedError: with the rule that is broken.
    """
    old = contract.status
    if old is None:
        _first(new)
        return
    _require(new != old, "a write that changes nothing")
    _state(old, new)
    _require(new.phases == old.phases, "the accepted phases do not change")
    moved = _phase(old, new)
    _deliverables(old, new)
    _version(old, new)
    if contract.spec.phase_guard and moved is not None:
        _guard(contract, old, moved)
    _outbox(old, new, recorded)


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise WriteRefusedError(rule)


def _first(new: ContractStatus) -> None:
    start = (new.state.value, new.phase, new.version)
    _require(start == ("Created", new.phases[0].name, 1), f"a contract starts Created, not {start}")
    _require([item.version for item in new.transitions] == [1], "the first version is in the outbox")


def _state(old: ContractStatus, new: ContractStatus) -> None:
    allowed = (old.state.value, *TABLE[old.state.value].split())
    _require(new.state.value in allowed, f"INVALID_TRANSITION: {old.state} to {new.state}")


def _phase(old: ContractStatus, new: ContractStatus) -> str | None:
    """Where the write moves to, if it moves: the next phase, or Completed."""
    names = [phase.name for phase in old.phases]
    step = names.index(new.phase) - names.index(old.phase)
    _require(step in (0, 1), f"phase {old.phase} to {new.phase} is no step forward")
    if new.state == "Completing" and old.state != "Completing":
        _require(step == 0 and new.phase == names[-1], "only the last phase completes, and not in the move to it")
        return "Completed"
    return new.phase if step else None


def _deliverables(old: ContractStatus, new: ContractStatus) -> None:
    keys = [(item.phase, item.id) for item in new.deliverables]
    known = {(phase.name, item.id) for phase in old.phases for item in phase.deliverables}
    _require(set(old.deliverables) <= set(new.deliverables), "a deliverable is lost or changed")
    _require(len(keys) == len(set(keys)), "a deliverable is there twice")
    _require(set(keys) <= known, "INVALID_DELIVERABLE")


def _version(old: ContractStatus, new: ContractStatus) -> None:
    changed = (old.state, old.phase, old.deliverables) != (new.state, new.phase, new.deliverables)
    rise = new.version - old.version
    _require(rise == int(changed), f"VERSION_CONFLICT: version rises by {rise}, changed: {changed}")


def _guard(contract: Contract, old: ContractStatus, target: str) -> None:
    request = contract.spec.advance
    confirmed = (
        request is not None and request.confirmed and request.to == target and request.expected_version == old.version
    )
    _require(confirmed, f"PHASE_GUARD_REQUIRED: {old.phase} to {target} at version {old.version}")


def _outbox(old: ContractStatus, new: ContractStatus, recorded: int) -> None:
    known = max(recorded, old.recorded_version or 0)
    versions = [item.version for item in new.transitions]
    unrecorded = {item.version for item in old.transitions if item.version > known}
    _require(unrecorded <= set(versions), "an unrecorded transition is pruned")
    _require(versions == sorted(set(versions)), "transitions are in order, each once")
    _require(new.version in versions or new.version <= known, "a version without its transition")
    _require((new.recorded_version or 0) <= known, "a version is acknowledged that is not recorded")
    _require(len(versions) <= 64, "the outbox holds 64")
