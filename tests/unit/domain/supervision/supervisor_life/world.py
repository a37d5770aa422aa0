"""The API server and Postgres as far as a supervisor's life needs them, with their preconditions and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from makima.domain.supervision.pods import PodSeen, pod_name
from makima.domain.supervision.steps import (
    Allocate,
    AskRestart,
    CreatePod,
    DeletePod,
    NamePod,
    Seen,
    Step,
    WriteStatus,
)
from makima.models.contract import Contract
from makima.models.enums import SupervisorState
from makima.models.supervision import Session
from makima.models.supervisor import Supervisor, SupervisorStatus
from tests.support.builders import SUPERVISOR_UID, UID, at

GRACE = timedelta(seconds=30)


@dataclass
class World:
    """What is stored.

    Attributes:
        silent: a life, and since when nothing was heard of it.
        named: lives of which the status has named a pod.
    """

    contract: Contract
    supervisor: Supervisor
    session: Session | None = None
    pods: dict[str, PodSeen] = field(default_factory=dict)
    silent: tuple[int, float] | None = None
    now: float = 0.0
    named: set[int] = field(default_factory=set)
    uids: int = 0

    @property
    def status(self) -> SupervisorStatus:
        return self.supervisor.status or SupervisorStatus()

    @property
    def incarnation(self) -> int:
        return self.status.incarnation or 0

    def seen(self) -> Seen:
        """Everything as it is now."""
        silent = at(self.silent[1]) if self.silent is not None and self.silent[0] == self.incarnation else None
        pods = tuple(self.pods.values())
        return Seen(self.contract, self.supervisor, pods, self.session, silent, at(self.now))

    def take(self, seen: Seen, step: Step, *, looked_just_before: bool = True) -> bool:
        """Do the step as the adapters do it; False if a precondition refused it.

        Args:
            looked_just_before: False for a leader that fell asleep between its last look and making a pod.
        """
        match step:
            case WriteStatus(status) | AskRestart(status=status):
                return self._write(seen, status)
            case Allocate(after):
                self._allocate(after)
            case DeletePod(pod, at_once):
                self._delete(pod, at_once=at_once)
            case CreatePod(incarnation):
                return self._create(seen, incarnation, looked_just_before=looked_just_before)
            case NamePod(incarnation, pod):
                return self._name(incarnation, pod)
        return True

    def _write(self, seen: Seen, status: SupervisorStatus) -> bool:
        if seen.supervisor.metadata.resource_version != self.supervisor.metadata.resource_version:
            return False
        assert status != self.supervisor.status, "a write that changes nothing"
        lives = status.incarnation or 0
        assert lives >= self.incarnation, "an incarnation was taken back"
        assert self.session is not None and lives <= self.session.incarnation, "a life that Postgres did not give"
        if status.pod_uid is not None:
            self.named.add(lives)
        self._store(status=status)
        return True

    def _store(self, **changes: object) -> None:
        version = str(int(self.supervisor.metadata.resource_version or "0") + 1)
        metadata = self.supervisor.metadata.model_copy(update={"resource_version": version})
        self.supervisor = self.supervisor.model_copy(update={"metadata": metadata, **changes})

    def change_spec(self, **changes: object) -> None:
        """Somebody changed the Supervisor's spec."""
        self._store(spec=self.supervisor.spec.model_copy(update=changes))

    def _allocate(self, after: int) -> None:
        if self.session is None:
            self.session = Session(UUID(UID), UUID(SUPERVISOR_UID), "default", "work", after + 1)
        elif self.session.incarnation <= after:
            fresh = {"incarnation": after + 1, "registration_id": None, "registered_at": None, "pod_uid": None}
            self.session = replace(self.session, **fresh, sequence=0, state=SupervisorState.INITIALIZING)

    def _delete(self, pod: PodSeen, *, at_once: bool) -> None:
        there = self.pods.get(pod.name)
        if there is None or there.uid != pod.uid:
            return
        if at_once or there.finished:
            del self.pods[pod.name]
        elif there.gone_by is None:
            self.pods[pod.name] = replace(there, gone_by=at(self.now) + GRACE)

    def _create(self, seen: Seen, incarnation: int, *, looked_just_before: bool) -> bool:
        version = self.supervisor.metadata.resource_version
        if looked_just_before and seen.supervisor.metadata.resource_version != version:
            return False
        assert incarnation <= self.incarnation, "a pod before its incarnation is in the status"
        assert not looked_just_before or incarnation not in self.named, "a second pod for a life that had one"
        name = pod_name("work", incarnation)
        if name not in self.pods:
            self.uids += 1
            self.pods[name] = PodSeen(name, str(UUID(int=5000 + self.uids)), incarnation)
        return True

    def _name(self, incarnation: int, pod: PodSeen) -> bool:
        if self.session is None or self.session.incarnation != incarnation:
            return False
        self.session = replace(self.session, pod_uid=UUID(pod.uid))
        return True

    def running(self) -> list[PodSeen]:
        """Pods that run or may begin to, and that nobody has asked to end."""
        return [pod for pod in self.pods.values() if not pod.finished and pod.gone_by is None]
