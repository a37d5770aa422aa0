"""`makima.stores.SupervisorRegistry`: who carries which contract, and the only place where incarnations come from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.encoding import clean
from makima.adapters.postgres.fencing import fenced, unknown_supervisor, writing
from makima.adapters.postgres.notifications import SUPERVISORS, Notifications, announce
from makima.adapters.postgres.record import append_events, encoded_events
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_events import state_event
from makima.adapters.postgres.supervision_rows import session_row
from makima.errors import Superseded
from makima.models.enums import RestorationOutcome, SupervisorState
from makima.models.supervision import Session

SQL = load("supervisors")


class PostgresRegistry:
    """The rows of `supervisors`; see the protocol for what each method means."""

    def __init__(self, database: Database, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications

    async def session(self, contract_id: UUID) -> Session | None:
        """The row of this contract, as committed."""
        rows = await self._database.rows(SQL["session"], {"contract_id": contract_id})
        return session_row(rows[0]) if rows else None

    async def sessions(self, contract_ids: Sequence[UUID]) -> Mapping[UUID, Session]:
        """The rows of these contracts, as committed, in one query; contracts without one are left out."""
        rows = await self._database.rows(SQL["sessions"], {"contract_ids": list(contract_ids)})
        return {row["contract_id"]: session_row(row) for row in rows}

    async def allocate(self, session: Session, *, after: int) -> Session:
        """Begin the next life: `after` + 1, unless the current incarnation is above `after` already.

        Phase, activity, progress and times of the life before stay until the new one says its own.
        """
        names: dict[str, Any] = {"contract_id": session.contract_id, "task_id": session.task_id}
        names |= {"namespace": session.namespace, "name": session.name}
        async with self._writing() as connection:
            before = await _locked(connection, session.contract_id)
            begun = await connection.execute(SQL["allocate"], {**names, "after": after})
            is_new = await begun.fetchone() is not None
            if is_new:
                await announce(connection, SUPERVISORS, [session.contract_id])
            now = await _session(connection, session.contract_id)
            if is_new and before is not None:
                begins = {"task_id": now.task_id, "incarnation": now.incarnation, "sequence": 0, "at": now.updated_at}
                await _append_change(connection, {**before, **begins}, now.state)
            return now

    async def judge(self, contract_id: UUID, incarnation: int, state: SupervisorState) -> Session:
        """This life is found to be in that state, whatever it said itself last; its next heartbeat says otherwise.

        Returns:
            The row as it is now; unchanged where a newer life has begun.

        Raises:
            NotFound: nobody ever carried this contract.
        """
        async with self._writing() as connection:
            before = await _locked(connection, contract_id)
            if before is not None and before["incarnation"] == incarnation and before["old_state"] != state.snake:
                await connection.execute(SQL["judge"], {"contract_id": contract_id, "state": state.snake})
                await announce(connection, SUPERVISORS, [contract_id])
                await _append_change(connection, before, state)
            return await _session(connection, contract_id)

    async def set_pod(self, contract_id: UUID, incarnation: int, pod_uid: UUID | None) -> Session:
        """Name the pod whose token may act for this life.

        Raises:
            Superseded: a newer life has begun.
            NotFound: nobody ever carried this contract.
        """
        pod = {"contract_id": contract_id, "incarnation": incarnation, "pod_uid": pod_uid}
        async with self._writing() as connection:
            await connection.execute(SQL["set_pod"], pod)
            found = await _session(connection, contract_id)
        if found.incarnation != incarnation:
            raise Superseded(found.incarnation)
        return found

    async def register(
        self, contract_id: UUID, incarnation: int, registration_id: UUID, host: str, at: datetime
    ) -> Session:
        """The life of this incarnation is there. Repeating it with the same id changes nothing.

        Raises:
            Superseded: a newer life has begun, or another process registered this one.
            NotFound: nobody ever carried this contract.
        """
        life = {"contract_id": contract_id, "incarnation": incarnation, "registration_id": registration_id}
        async with self._writing() as connection:
            begun = await connection.execute(SQL["register"], {**life, "host": host, "at": at})
            if await begun.fetchone() is not None:
                await announce(connection, SUPERVISORS, [contract_id])
            found = await _session(connection, contract_id)
        if (found.incarnation, found.registration_id) != (incarnation, registration_id):
            raise Superseded(found.incarnation)
        return found

    async def record_restoration(
        self, contract_id: UUID, incarnation: int, outcome: RestorationOutcome, text: str, at: datetime
    ) -> None:
        """Remember how this life came back.

        Raises:
            Superseded: a newer life has begun.
            NotFound: nobody ever carried this contract.
        """
        values: dict[str, Any] = {"contract_id": contract_id, "outcome": outcome.snake, "text": clean(text), "at": at}
        # Alone: it changes the row, and two that share a lock on it would wait for each other.
        async with fenced(self._database, contract_id, incarnation, alone=True) as connection:
            await connection.execute(SQL["record_restoration"], values)
            await announce(connection, SUPERVISORS, [contract_id])

    async def changed_since(self, moment: datetime | None) -> Sequence[Session]:
        """Rows written since `moment` (None: all), oldest write first; rows may come twice.

        Asking with the last row's `updated_at` misses nothing: where transactions are still open, `updated_at` is given
        as no later than the oldest of them began, so that rows committed late are above it.
        """
        horizon = (await self._database.rows(SQL["horizon"]))[0]["moment"]
        rows = await self._database.rows(SQL["changed_since"], {"moment": moment, "horizon": horizon})
        return [session_row(row) for row in rows]

    def changes(self) -> AsyncIterator[UUID]:
        """Contracts whose supervisor changed state, phase or life, as it happens; may miss some after a reconnect."""
        return self._notifications.subscribe(SUPERVISORS)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        async with writing(self._database) as connection:
            await connection.execute(SQL["begin_writing"])
            yield connection


async def _locked(connection: Connection, contract_id: UUID) -> dict[str, Any] | None:
    return await (await connection.execute(SQL["lock_state"], {"contract_id": contract_id})).fetchone()


async def _append_change(connection: Connection, before: dict[str, Any], state: SupervisorState) -> None:
    """The event of a change of state, if it is one; nothing may be locked after it, see `append_events`."""
    if before["old_state"] != state.snake:
        await append_events(connection, encoded_events([state_event({**before, "new_state": state.snake})]))


async def _session(connection: Connection, contract_id: UUID) -> Session:
    row = await (await connection.execute(SQL["session"], {"contract_id": contract_id})).fetchone()
    if row is None:
        raise unknown_supervisor(contract_id)
    return session_row(row)
