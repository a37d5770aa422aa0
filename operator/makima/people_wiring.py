"""What people call of an API process, put together: one contract, many, and the dashboard."""

from __future__ import annotations

from datetime import timedelta

from makima.adapters.kubernetes.as_caller import KubernetesAsCaller
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import KubernetesCluster
from makima.adapters.postgres.batch import PostgresBatch
from makima.adapters.postgres.contract_lists import PostgresContractLists
from makima.adapters.postgres.dashboard import PostgresDashboard
from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.validators import GateValidators
from makima.api_process import Process
from makima.http.use_cases import ContractCalls
from makima.services.access.contract_lookup import ContractLookup
from makima.services.access.visibility import Visibility
from makima.services.reads.contract_export import ContractExports
from makima.services.reads.contract_lists import ContractLists
from makima.services.reads.contract_reads import ContractReads
from makima.services.reads.dashboard import Dashboards
from makima.services.reads.readiness import ReadinessChecks
from makima.services.supervisor_calls.memory import Memory
from makima.services.wishes.batch import BatchOperations
from makima.services.wishes.batch_run import BatchPorts
from makima.services.wishes.contract_inputs import ContractInputs
from makima.services.wishes.contract_wishes import ContractWishes
from makima.services.wishes.hand import Hand
from makima.services.wishes.phase_moves import PhaseMoves
from makima.services.wishes.settling import Settling
from makima.services.wishes.supervisor_restart import SupervisorRestarts


def contract_calls(
    process: Process,
    connection: Connection,
    *,
    hand: Hand,
    lookup: ContractLookup,
    visibility: Visibility,
    history: PostgresHistory,
    memory: Memory | None,
) -> ContractCalls:
    """What people read of contracts, and ask of them."""
    settings, validators = process.config.decisions(), GateValidators(connection)
    reads = ContractReads(history, settings, process.clock)
    process.ends.push_async_callback(validators.close)
    checks = ReadinessChecks(validators, settings, process.clock)
    settling = Settling(KubernetesCluster(connection))
    return ContractCalls(
        lists=ContractLists(PostgresContractLists(history.database), visibility, settings, process.clock),
        reads=reads,
        exports=ContractExports(reads, memory, process.clock),
        checks=checks,
        wishes=ContractWishes(hand, settling, lookup, checks),
        inputs=ContractInputs(hand, settling, checks),
        moves=PhaseMoves(checks, lookup, hand, settling),
        restarts=SupervisorRestarts(hand, settling),
    )


def batch_operations(
    process: Process,
    cluster: KubernetesCluster,
    hands: KubernetesAsCaller,
    history: PostgresHistory,
    visibility: Visibility,
) -> BatchOperations | None:
    """Bulk operations; None with the flag `monitoring_dashboard` off."""
    settings = process.config.decisions()
    if not settings.monitoring:
        return None
    ports = BatchPorts(PostgresBatch(history.database), cluster, hands, process.metrics, process.clock)
    return BatchOperations(ports, visibility, settings)


def dashboards(process: Process, history: PostgresHistory, visibility: Visibility) -> Dashboards | None:
    """The dashboard; None with the flag `monitoring_dashboard` off."""
    settings = process.config.decisions()
    if not settings.monitoring:
        return None
    timeout = timedelta(seconds=process.config.contracts.heartbeat_timeout_seconds)
    return Dashboards(PostgresDashboard(history.database), visibility, process.clock, settings, timeout)
