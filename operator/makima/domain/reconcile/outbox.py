"""status.transitions as an outbox: written with the change, recorded in Postgres after, pruned once recorded."""

from __future__ import annotations

from makima.models.bounds import TRANSITIONS
from makima.models.contract_status import ContractStatus, Transition

KEPT = 5
"""How many recorded transitions stay, for whoever looks at the resource."""


def watermark(status: ContractStatus, recorded_version: int) -> int:
    """Highest version known to be in Postgres, from the status and from what the recorder was told."""
    return max(status.recorded_version or 0, min(recorded_version, status.version))


def unrecorded(status: ContractStatus, recorded_version: int) -> tuple[Transition, ...]:
    """Transitions that Postgres may not have yet, oldest first."""
    known = watermark(status, recorded_version)
    return tuple(item for item in status.transitions if item.version > known)


def is_full(status: ContractStatus, recorded_version: int) -> bool:
    """Whether another transition would not fit without dropping an unrecorded one."""
    return len(unrecorded(status, recorded_version)) >= TRANSITIONS


def append(status: ContractStatus, transition: Transition, recorded_version: int) -> ContractStatus:
    """The status with one more transition, the recorded ones before it pruned, and the watermark carried along."""
    known = watermark(status, recorded_version)
    waiting = unrecorded(status, recorded_version)
    room = max(0, KEPT - len(waiting))
    recorded = [item for item in status.transitions if item.version <= known][-room:] if room else []
    kept = (*recorded, *waiting, transition)
    return status.model_copy(update={"transitions": kept, "recorded_version": known})
