"""The use cases behind the routes, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from makima.contract_stores import ContractHistory
from makima.domain.settings import Settings
from makima.http.stream import Streams
from makima.ports import Clock
from makima.services.access.authentication import Authentication
from makima.services.access.authorization import Authorization
from makima.services.access.contract_lookup import ContractLookup
from makima.services.access.visibility import Visibility
from makima.services.ingest.heartbeats import Heartbeats
from makima.services.monitor.monitor import Monitor
from makima.services.reads.contract_export import ContractExports
from makima.services.reads.contract_lists import ContractLists
from makima.services.reads.contract_reads import ContractReads
from makima.services.reads.dashboard import Dashboards
from makima.services.reads.readiness import ReadinessChecks
from makima.services.reads.supervisor_reads import SupervisorReads
from makima.services.supervisor_calls.command_delivery import CommandDelivery
from makima.services.supervisor_calls.contract_reports import ContractReports
from makima.services.supervisor_calls.memory import Memory
from makima.services.supervisor_calls.sessions import Sessions
from makima.services.wishes.batch import BatchOperations
from makima.services.wishes.contract_inputs import ContractInputs
from makima.services.wishes.contract_wishes import ContractWishes
from makima.services.wishes.phase_moves import PhaseMoves
from makima.services.wishes.supervisor_restart import SupervisorRestarts


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
    inputs: ContractInputs
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
