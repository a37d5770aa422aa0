"""What a decision about a supervisor looks at, and the steps that it can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from makima.domain.notices import Notice
from makima.domain.supervision.pods import PodSeen
from makima.domain.supervision.supervisor_status import Life, show
from makima.models.contract import Contract
from makima.models.supervision import Session
from makima.models.supervisor import Supervisor, SupervisorStatus


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a decision about a supervisor looks at.

    Attributes:
        pods: of exactly this Supervisor; if the one that the status names is missing, the API server was asked for it.
        session: the row in Postgres; None = there is none.
        silent_since: the current life is dead by silence since then (`makima.domain.supervision.liveness`).
    """

    contract: Contract
    supervisor: Supervisor
    pods: tuple[PodSeen, ...]
    session: Session | None
    silent_since: datetime | None
    now: datetime

    @property
    def status(self) -> SupervisorStatus:
        """Its status; empty before the first."""
        return self.supervisor.status or SupervisorStatus()

    @property
    def incarnation(self) -> int:
        """The life that the status carries; 0 before the first."""
        return self.status.incarnation or 0

    @property
    def restarts(self) -> int:
        """Restarts counted so far."""
        return self.status.restarts or 0

    @property
    def own(self) -> Session | None:
        """The row, if it is about the life that the status carries."""
        session = self.session
        if session is None or str(session.task_id) != self.supervisor.metadata.uid:
            return None
        return session if session.incarnation == self.incarnation else None

    @property
    def pod(self) -> PodSeen | None:
        """The pod that the status names."""
        return next((pod for pod in self.pods if pod.uid == self.status.pod_uid), None)

    def shown(self, life: Life) -> SupervisorStatus:
        """The status when its life stands like this."""
        session = self.session
        about = session is not None and str(session.task_id) == self.supervisor.metadata.uid
        same = about and session is not None and session.incarnation == life.incarnation
        return show(self.supervisor, life, session if same else None, self.now)


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """Write this status, and send the Event after it. `restarted`: why the life before this one ended."""

    status: SupervisorStatus
    notice: Notice | None = None
    restarted: str | None = None


@dataclass(frozen=True, slots=True)
class Allocate:
    """Have Postgres begin the life after this one; after another life that counts against the fleet's rate."""

    after: int


@dataclass(frozen=True, slots=True)
class DeletePod:
    """End this pod; `at_once`: without its grace."""

    pod: PodSeen
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Make the pod of this life."""

    incarnation: int


@dataclass(frozen=True, slots=True)
class NamePod:
    """Postgres takes this pod for the life; the status follows with the next decision."""

    incarnation: int
    pod: PodSeen


@dataclass(frozen=True, slots=True)
class AskRestart:
    """Tell an external supervisor's wrapper to restart it, then write the status."""

    incarnation: int
    reason: str
    status: SupervisorStatus


Step = WriteStatus | Allocate | DeletePod | CreatePod | NamePod | AskRestart


@dataclass(frozen=True, slots=True)
class Listen:
    """The current life has to be heard from; its last sign was then."""

    incarnation: int
    heard: datetime
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class SupervisorDecision:
    """One step, or None; when to look again at the latest; and whether silence means anything."""

    step: Step | None = None
    wake_at: datetime | None = None
    listen: Listen | None = None


NOTHING = SupervisorDecision()


def written_if_changed(
    seen: Seen, life: Life, *, wake_at: datetime | None = None, listen: Listen | None = None
) -> SupervisorDecision:
    """The status for a life that stands like this, where it differs from what is stored."""
    status = seen.shown(life)
    return SupervisorDecision(WriteStatus(status) if status != seen.supervisor.status else None, wake_at, listen)
