"""What a supervisor is told because its contract changed: commands made from transitions, with the history of them.

Ids are derived from contract UID, version and kind, so making a command again stores nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from makima.domain.reconcile.outbox import unrecorded
from makima.domain.reconcile.states import FINISHED
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, Transition
from makima.models.enums import CommandKind, ContractState
from makima.models.supervision import StoredCommand

K = CommandKind


def command_id(contract_id: UUID, version: int, kind: CommandKind) -> UUID:
    """Id of the command of this kind that this version causes."""
    return uuid5(contract_id, f"command:{version}:{kind.snake}")


def unrecorded_commands(contract: Contract, status: ContractStatus, recorded_version: int) -> tuple[StoredCommand, ...]:
    """Commands of every transition that Postgres may not have, in order of version."""
    uid = UUID(contract.metadata.uid)
    return tuple(item for transition in unrecorded(status, recorded_version) for item in _commands(uid, transition))


def _commands(uid: UUID, transition: Transition) -> Iterator[StoredCommand]:
    for kind, payload in _caused(transition):
        identity = command_id(uid, transition.version, kind)
        yield StoredCommand(identity, uid, kind, transition.time, payload)


def _caused(transition: Transition) -> Iterator[tuple[CommandKind, dict[str, Any]]]:
    """The phase first: a supervisor that is stopped in its last phase has to know that it is the last."""
    before, after = transition.from_state, transition.to_state
    if before is None:
        return
    if transition.from_phase != transition.to_phase:
        moved = {"from": transition.from_phase, "to": transition.to_phase, "version": transition.version}
        yield K.PHASE_CHANGED, moved
    if after in FINISHED:
        if before not in FINISHED:
            yield K.STOP, {"reason": transition.message, "state": after.snake}
    elif after is ContractState.PAUSED and before is not after:
        yield K.PAUSE, {"reason": transition.message}
    elif before is ContractState.PAUSED and after is not before:
        yield K.RESUME, {}
