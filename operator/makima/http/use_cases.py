"""The use cases behind the routes, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from makima.domain.settings import Settings
from makima.http.stream import Streams
from makima.ports import Clock
from makima.services.authorization import Authorization
from makima.services.batch import BatchOperations
from makima.services.command_delivery import CommandDelivery
from makima.services.contract_export import ContractExports
from makima.services.contract_lists import ContractLists
from makima.services.contract_lookup import ContractLookup
from makima.services.contract_reads import ContractReads
from makima.services.contract_reports import ContractReports
from makima.services.contract_wishes import ContractWishes
from makima.services.dashboard import Dashboards
from makima.services.heartbeats import Heartbeats
from makima.services.identity import Authentication
from makima.services.memory import Memory
from makima.services.monitor.monitor import Monitor
from makima.services.phase_moves import PhaseMoves
from makima.services.readiness import ReadinessChecks
from makima.services.sessions import Sessions
from makima.services.supervisor_reads import SupervisorReads
from makima.services.supervisor_restart import SupervisorRestarts
from makima.services.visibility import Visibility
from makima.stores import ContractHistory


@dataclass(frozen=True, slots=True)
class SupervisorCalls:
    """What supervisors call, and what is asked about them (flag `supervisor_heartbeat`).

    Attributes:
        authentication: takes tokens of makima's audience only.
    """

    authentication: Authentication
    rights: Authorization
    heartbeats: Heartbeats
    streams: Streams
    sessions: Sessions
    memory: Memory
    reports: ContractReports
    commands: CommandDelivery
    reads: SupervisorReads


@dataclass(frozen=True, slots=True)
class ContractCalls:
    """What people read of contracts, and what they ask of them."""

    lists: ContractLists
    reads: ContractReads
    exports: ContractExports
    checks: ReadinessChecks
    wishes: ContractWishes
    moves: PhaseMoves
    restarts: SupervisorRestarts


@dataclass(frozen=True, slots=True)
class UseCases:
    """Everything that calls can ask for.

    Attributes:
        settings: has the feature flags; what belongs to one that is off has no route.
        people: authentication that also takes tokens for the API server itself.
        supervision: None with the flag off.
        dashboards, batch, monitor: None with the flag off.
    """

    settings: Settings
    clock: Clock
    people: Authentication
    rights: Authorization
    visibility: Visibility
    history: ContractHistory
    lookup: ContractLookup
    contracts: ContractCalls
    supervision: SupervisorCalls | None = None
    dashboards: Dashboards | None = None
    batch: BatchOperations | None = None
    monitor: Monitor | None = None
    allowed_origins: tuple[str, ...] = ()
