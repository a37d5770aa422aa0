"""The use cases behind the routes, as one value."""

from __future__ import annotations

from dataclasses import dataclass

from makima.http.stream import Streams
from makima.ports import Clock
from makima.services.authorization import Authorization
from makima.services.command_delivery import CommandDelivery
from makima.services.contract_reports import ContractReports
from makima.services.heartbeats import Heartbeats
from makima.services.identity import Authentication
from makima.services.memory import Memory
from makima.services.sessions import Sessions
from makima.services.supervisor_reads import SupervisorReads


@dataclass(frozen=True, slots=True)
class UseCases:
    """Everything that calls can ask for."""

    authentication: Authentication
    rights: Authorization
    heartbeats: Heartbeats
    streams: Streams
    sessions: Sessions
    memory: Memory
    reports: ContractReports
    commands: CommandDelivery
    reads: SupervisorReads
    clock: Clock
