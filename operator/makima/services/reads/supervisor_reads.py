"""What people read about a supervisor, and having it report at once (plan 3.5)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from makima.domain.supervision.heartbeat_times import heartbeat_times
from makima.models.enums import CommandKind
from makima.models.supervision import Beat, Session, StoredCommand
from makima.models.wire.problem import Code
from makima.models.wire.reading import HeartbeatHistory, PastHeartbeat, SupervisorReport, Synced
from makima.ports import Clock
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.refusals import refusal
from makima.services.supervisor_calls.carried_work import CarriedWork
from makima.stores import CommandStore, HeartbeatStore

LOOK_SECONDS = 0.2


class SupervisorReads:
    """Answers from Postgres, which has every heartbeat."""

    def __init__(
        self,
        heartbeats: HeartbeatStore,
        commands: CommandStore,
        work: CarriedWork,
        rights: Authorization,
        clock: Clock,
    ) -> None:
        self._heartbeats, self._commands, self._work = heartbeats, commands, work
        self._rights, self._clock = rights, clock

    async def status(self, identity: Identity, contract_id: UUID) -> SupervisorReport:
        """How the supervisor is, as of its newest heartbeat.

        Raises:
            Refused: what `Authorization.reader` refuses.
            HistoryUnavailable: Postgres is away.
        """
        session = await self._rights.reader(identity, contract_id)
        newest = await self._newest(session)
        if newest is None:
            return _by_row(session)
        return SupervisorReport(
            task_id=session.task_id,
            state=newest.state,
            phase=newest.phase,
            current_activity=newest.current_activity,
            progress=newest.progress,
            last_heartbeat=newest.received_at,
            pending_task_ids=newest.pending_task_ids,
            incarnation=session.incarnation,
            error_message=session.error_message,
        )

    async def heartbeats(self, identity: Identity, contract_id: UUID, limit: int) -> HeartbeatHistory:
        """The newest heartbeats. Raises: as `status`."""
        await self._rights.reader(identity, contract_id)
        found = await self._heartbeats.recent(contract_id, limit)
        return HeartbeatHistory(heartbeats=tuple(_past(beat) for beat in found))

    async def sync(self, identity: Identity, contract_id: UUID, seconds: float) -> Synced:
        """Tell the supervisor to report, and wait for it.

        Args:
            seconds: how long to wait.

        Raises:
            Refused: SUPERVISOR_DEAD; what `Authorization.reader` refuses.
            HistoryUnavailable: Postgres is away.
        """
        session = await self._rights.reader(identity, contract_id, "update")
        before = await self._newest(session)
        self._must_live(session, before, await self._timeout(session))
        now = self._clock.now()
        await self._commands.put((StoredCommand(uuid4(), contract_id, CommandKind.SYNC, now),))
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            newest = await self._newest(session)
            if newest is not None and newest.received_at > now:
                return Synced(synced=True, state=newest.state)
            if asyncio.get_running_loop().time() >= deadline:
                return Synced(synced=False, state=newest.state if newest is not None else session.state)
            await asyncio.sleep(LOOK_SECONDS)

    async def _timeout(self, session: Session) -> float:
        """Seconds without a heartbeat after which there is nobody to tell."""
        supervisor = (await self._work.of(session)).supervisor
        if supervisor is None:
            raise refusal(Code.SUPERVISOR_NOT_FOUND, "the Supervisor is gone", hint="apply it again, or wait")
        return heartbeat_times(supervisor.spec).timeout_seconds

    def _must_live(self, session: Session, newest: Beat | None, timeout_seconds: float) -> None:
        seen = newest.received_at if newest is not None else session.registered_at
        if seen is None or self._clock.now() - seen > timedelta(seconds=timeout_seconds):
            since = f"since {seen.isoformat(timespec='seconds')}" if seen is not None else "ever"
            raise refusal(
                Code.SUPERVISOR_DEAD,
                f"the supervisor has not been heard of {since}",
                hint="the operator restarts a pod by itself; an external supervisor has to be started again",
            )

    async def _newest(self, session: Session) -> Beat | None:
        found = await self._heartbeats.recent(session.contract_id, 1)
        return found[0] if found and found[0].incarnation == session.incarnation else None


def _by_row(session: Session) -> SupervisorReport:
    return SupervisorReport(
        task_id=session.task_id,
        state=session.state,
        phase=session.phase,
        current_activity=session.current_activity,
        progress=session.progress,
        last_heartbeat=session.last_heartbeat_at,
        pending_task_ids=session.pending_task_ids,
        incarnation=session.incarnation,
        error_message=session.error_message,
    )


def _past(beat: Beat) -> PastHeartbeat:
    return PastHeartbeat(
        timestamp=beat.received_at,
        state=beat.state,
        phase=beat.phase,
        activity=beat.current_activity,
        progress=beat.progress,
        incarnation=beat.incarnation,
        sequence=beat.sequence,
    )
