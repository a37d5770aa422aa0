"""What people read about a supervisor (plan 3.5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from makima.models.wire.message import Message, WireState


class SupervisorReport(Message):
    """Answer of `GET …/supervisor/status`."""

    task_id: UUID
    state: WireState
    phase: str | None = None
    current_activity: str = ""
    progress: int = 0
    last_heartbeat: datetime | None = None
    pending_task_ids: tuple[UUID, ...] = ()
    incarnation: int = 0
    error_message: str | None = None


class PastHeartbeat(Message):
    """One heartbeat of the last 24 hours."""

    timestamp: datetime
    state: WireState
    phase: str
    activity: str = ""
    progress: int = 0
    incarnation: int
    sequence: int


class HeartbeatHistory(Message):
    """Answer of `GET …/supervisor/heartbeats?limit=`, newest first."""

    heartbeats: tuple[PastHeartbeat, ...] = ()


class Synced(Message):
    """Answer of `POST …/supervisor/sync`: the supervisor was told to report, or did within the wait."""

    synced: bool = Field(description="True if a heartbeat came since the call began.")
    state: WireState
