"""The operator's side of supervisors, put together: lives in pods, silence, tasks as Jobs, workspaces."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import CollectorRegistry

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.jobs import KubernetesJobs
from makima.adapters.kubernetes.pods import KubernetesPods
from makima.adapters.kubernetes.supervisors import KubernetesSupervisors
from makima.adapters.kubernetes.volumes import KubernetesVolumes
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.adapters.prometheus_supervision import SupervisionMetrics
from makima.config import Config
from makima.domain.token_bucket import Rate
from makima.ports import Clock, EventSink
from makima.services.reconcile.operator import ContractOperator
from makima.services.supervision.contract_knowledge import ContractKnowledge
from makima.services.supervision.fleet_rates import FleetLimits, FleetRates
from makima.services.supervision.life_steps import LifePorts, LifeSteps
from makima.services.supervision.liveness_watch import LivenessWatch
from makima.services.supervision.session_follow import SessionFollow
from makima.services.supervision.supervise import Supervise
from makima.services.supervision.supervisor_cache import SupervisorCache
from makima.services.supervision.supervisor_look import SupervisePorts
from makima.services.tasks.task_jobs import TaskJobs
from makima.services.tasks.task_runs import JobPorts
from makima.services.tasks.workspace import WorkspacePorts, Workspaces


class Supervision:
    """Everything about supervisors in the operator's process. Not built at all with `supervisor_heartbeat` off."""

    def __init__(
        self, config: Config, connection: Connection, postgres: PostgresSupervision, events: EventSink, clock: Clock
    ) -> None:
        self._config, self._postgres, self._clock = config, postgres, clock
        self._connection, self._events = connection, events
        self.cache = SupervisorCache()
        self.sessions = SessionFollow(postgres.registry)

    def join(self, operator: ContractOperator, registry: CollectorRegistry) -> None:
        """Build it, and have it go along with the operator's contracts."""
        metrics = SupervisionMetrics(registry)
        self.supervise = self._supervise(metrics)
        self.task_jobs = self._task_jobs(metrics)
        self.sessions.on_session = self.supervise.see_session
        self.supervise.on_missed = operator.see_supervisor
        operator.accompany(self.supervise)
        operator.accompany(self.task_jobs)
        work, memory, settings = self._postgres.work, self._postgres.memory, self._config.decisions()
        operator.ask(ContractKnowledge(work, memory, self.cache, settings, self._clock))
        operator.recorder.commands = self._postgres.commands

    def _supervise(self, metrics: SupervisionMetrics) -> Supervise:
        postgres, options = self._postgres, self._config.supervisors
        namespaces = self._config.operator.namespaces
        supervisors = KubernetesSupervisors(self._connection, namespaces)
        pods = KubernetesPods(self._connection, namespaces)
        life = LifePorts(supervisors, pods, postgres.registry)
        steps = LifeSteps(life, self.cache, options.api_url, self._config.heartbeat_times())
        watch = LivenessWatch(postgres.heartbeats, postgres.coverage, self._clock)
        ports = SupervisePorts(supervisors, pods, postgres.commands, self._events, metrics, self._clock)
        return Supervise(ports, steps, self.cache, watch, FleetRates(self._limits(), self._clock.now()))

    def _limits(self) -> FleetLimits:
        options = self._config.supervisors
        return FleetLimits(
            restarts=Rate(options.restarts_per_second, options.restart_burst),
            writes=Rate(options.status_writes_per_second, options.status_writes_per_second),
            refresh=timedelta(seconds=options.status_refresh_seconds),
        )

    def _task_jobs(self, metrics: SupervisionMetrics) -> TaskJobs:
        jobs = KubernetesJobs(self._connection, self._config.operator.namespaces)
        volumes, work = KubernetesVolumes(self._connection), self._postgres.work
        spaces = WorkspacePorts(jobs, volumes, work, self._events, metrics, self._clock)
        ports = JobPorts(jobs, work, self._postgres.commands, self._events, self._clock)
        return TaskJobs(ports, Workspaces(spaces, self._config.supervisors.git_image))

    async def start(self) -> None:
        """Begin to follow Postgres; what accompanies contracts starts with them."""
        await self._postgres.open()
        self.sessions.start()

    async def stop(self) -> None:
        """End."""
        await self.sessions.stop()
        await self._postgres.close()
