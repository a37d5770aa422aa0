"""One line of the list: everything that it shows, sorts and filters by, made once for each change of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from makima.domain.reads.waits import waits
from makima.domain.reconcile.states import FINISHED
from makima.models.contract import Contract
from makima.models.enums import ContractState, SupervisorState
from makima.models.supervisor import Supervisor, SupervisorStatus
from makima.tui.attention import Attention, Need, attention, is_stale, silent_from
from makima.tui.source import Happening, Key


@dataclass(frozen=True, slots=True)
class Beat:
    """The latest heartbeat that the stream told of; newer than what the resource shows."""

    at: datetime
    state: SupervisorState | None = None
    activity: str | None = None
    progress: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A contract in the list.

    Attributes:
        state: None if it was not accepted (yet).
        step: number of the phase, from 1.
        silent_after: how long after `heartbeat` the supervisor is overdue; None where none is expected.
        words: everything that a word of the filter is looked for in, in lower case.
    """

    key: Key
    uid: str
    type: str
    state: ContractState | None
    attention: Attention
    phase: str
    step: int
    steps: int
    stale: bool
    questions: int
    supervisor: SupervisorState | None
    activity: str
    progress: int | None
    heartbeat: datetime | None
    silent_after: timedelta | None
    restarts: int
    created: datetime | None
    last_activity: datetime | None
    words: str

    @property
    def namespace(self) -> str:
        """Namespace of the contract."""
        return self.key[0]

    @property
    def name(self) -> str:
        """Name of the contract."""
        return self.key[1]

    @property
    def need(self) -> Need:
        """The group that it is in."""
        return self.attention.need

    @property
    def done(self) -> bool:
        """Whether every phase is left behind."""
        return self.state in (ContractState.COMPLETED, ContractState.ARCHIVED)

    def overdue(self, now: datetime) -> bool:
        """Whether a heartbeat should have come by now."""
        heard, limit = self.heartbeat, self.silent_after
        return heard is not None and limit is not None and now - heard > limit


def row_of(contract: Contract, supervisor: Supervisor | None, beat: Beat | None, now: datetime) -> Row:
    """The row of a contract."""
    status, meta = contract.status, contract.metadata
    told = supervisor.status if supervisor is not None else None
    names = [phase.name for phase in status.phases] if status else []
    found = attention(waits(contract, supervisor, now))
    activity, progress, state, heard = _supervision(told, beat)
    finished = status is not None and status.state in FINISHED
    return Row(
        key=(meta.namespace, meta.name),
        uid=meta.uid,
        type=contract.spec.type,
        state=status.state if status else None,
        attention=found,
        phase=status.phase if status else "",
        step=names.index(status.phase) + 1 if status and status.phase in names else 0,
        steps=len(names),
        stale=is_stale(contract),
        questions=len(status.questions) if status else 0,
        supervisor=state,
        activity="" if finished else activity,
        progress=None if finished else progress,
        heartbeat=heard,
        silent_after=silent_from(contract, supervisor),
        restarts=_restarts(contract, told),
        created=meta.creation_timestamp,
        last_activity=_latest(status.last_activity_time if status else None, heard),
        words=f"{meta.namespace}/{meta.name} {meta.uid} {contract.spec.type} {found.text} {activity}".lower(),
    )


def _supervision(
    told: SupervisorStatus | None, beat: Beat | None
) -> tuple[str, int | None, SupervisorState | None, datetime | None]:
    """Activity, progress, state and time of the last heartbeat: of the resource, or of a newer heartbeat."""
    activity, progress, state, heard = "", None, None, None
    if told is not None:
        activity, progress = told.current_activity or "", told.progress
        state, heard = told.state, told.last_heartbeat_time
    if beat is None or (heard is not None and beat.at <= heard):
        return activity, progress, state, heard
    activity = activity if beat.activity is None else beat.activity
    return activity, progress if beat.progress is None else beat.progress, beat.state or state, beat.at


def _restarts(contract: Contract, told: SupervisorStatus | None) -> int:
    if told is not None and told.restarts is not None:
        return told.restarts
    reference = contract.status.supervisor_ref if contract.status else None
    return reference.restarts if reference else 0


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def beat_of(event: Happening) -> Beat:
    """What a heartbeat on the stream says; a state that this version does not know is left out."""
    state, progress = event.fields.get("state"), event.fields.get("progress")
    known = {member.snake: member for member in SupervisorState}
    return Beat(
        at=event.at,
        state=known.get(str(state)),
        activity=str(event.fields["activity"]) if event.fields.get("activity") is not None else None,
        progress=progress if isinstance(progress, int) else None,
    )
