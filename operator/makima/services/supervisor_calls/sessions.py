"""Registering: a life of a supervisor begins, and gets what it needs to go on where the one before it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from makima.domain.supervision.heartbeat_times import heartbeat_times
from makima.domain.supervisor_calls.restoration import restore
from makima.errors import Superseded
from makima.models.enums import SupervisorState
from makima.models.supervision import Session
from makima.models.supervisor import Supervisor
from makima.models.wire.problem import Code
from makima.models.wire.registration import Register, Registered, Restoration
from makima.ports import Clock
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.access.rbac import Access
from makima.services.refusals import Refused, refusal, superseded, unavailable
from makima.services.supervisor_calls.carried_work import Carried, CarriedWork
from makima.services.supervisor_calls.command_delivery import CommandDelivery
from makima.stores import HeartbeatStore, MemoryStore, SupervisorRegistry

MESSAGES = 100
"""Messages of the conversation that travel with the answer; `GET S/messages` has the rest."""

MESSAGES_BYTES = 2 * 1024 * 1024
"""Of these messages together; the newest one always comes along."""

OVER = frozenset({SupervisorState.COMPLETED, SupervisorState.FAILED, SupervisorState.INTERRUPTED})
"""Last words of a life after which the next needs no `take_over`."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What registering needs of Postgres."""

    registry: SupervisorRegistry
    heartbeats: HeartbeatStore
    memory: MemoryStore


class Sessions:
    """Begins lives. A pod's incarnation was allocated by the operator; an external supervisor's is allocated here."""

    def __init__(
        self,
        stores: Stores,
        work: CarriedWork,
        rights: Authorization,
        commands: CommandDelivery,
        clock: Clock,
        *,
        on_restored: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._on_restored = on_restored
        self._stores, self._work, self._rights = stores, work, rights
        self._commands, self._clock = commands, clock

    async def register(self, identity: Identity, call: Register) -> Registered:
        """Begin a life, or repeat the answer to the one that this `registration_id` began.

        Raises:
            Refused: CONTRACT_NOT_FOUND, SUPERVISOR_NOT_FOUND, FORBIDDEN, CONFLICT, SUPERSEDED, UNAVAILABLE.
            makima.errors.MakimaError: Postgres or the API server is away.
        """
        await self._may_look(identity, call)
        carried, supervisor = await self._work.named(call.namespace, call.name)
        if supervisor.spec.template is not None:
            session = await self._pod(identity, call, UUID(carried.contract.metadata.uid))
        else:
            _refuse_pods(identity)
            session = await self._external(call, carried, supervisor)
            carried = await self._work.point_at(session)
        self._rights.sessions.keep(session)
        return await self._answer(session, carried, supervisor)

    async def restoration(self, session: Session) -> Restoration:
        """Decide again how to come back.

        Raises:
            makima.errors.MakimaError: Postgres or the API server is away.
        """
        return await self._restore(session.contract_id, await self._work.of(session))

    async def _may_look(self, identity: Identity, call: Register) -> None:
        """Strangers are not told what there is. A pod's own right is decided by its UID, once that is known."""
        if identity.pod_uid is None:
            await self._rights.rbac.require(identity, Access("supervise", "contracts", call.namespace, call.name))
        elif identity.namespace != call.namespace:
            raise refusal(
                Code.FORBIDDEN,
                f"the token is of a pod in another namespace than {call.namespace}",
                hint="a pod carries the contract that the operator made it for",
            )

    async def _pod(self, identity: Identity, call: Register, contract_id: UUID) -> Session:
        session = await self._stores.registry.session(contract_id)
        if identity.pod_uid is None:
            raise refusal(
                Code.FORBIDDEN,
                "this contract is carried by a pod; only that pod's token may act for it",
                hint="take the template out of the Supervisor to carry the contract from outside",
            )
        if call.incarnation is None:
            raise refusal(
                Code.VALIDATION_FAILED,
                "incarnation: a pod says which life it was started for",
                field="incarnation",
                hint="it is in the environment of the pod, as MAKIMA_INCARNATION",
            )
        if session is None or (session.pod_uid is None and call.incarnation >= session.incarnation):
            raise unavailable("the operator has not named the pod of this life yet", 1)
        if call.incarnation < session.incarnation:
            raise Refused(superseded(session.incarnation))
        if session.pod_uid != identity.pod_uid or call.incarnation != session.incarnation:
            raise refusal(
                Code.FORBIDDEN,
                f"life {call.incarnation} is not the one of this pod",
                hint="a pod carries the contract in the life that it was made for",
            )
        return await self._begin(call, session)

    async def _external(self, call: Register, carried: Carried, supervisor: Supervisor) -> Session:
        contract_id = UUID(carried.contract.metadata.uid)
        task_id = UUID(supervisor.metadata.uid)
        known = await self._stores.registry.session(contract_id)
        if known is not None and known.registration_id == call.registration_id and known.task_id == task_id:
            return known
        if known is not None and not call.take_over:
            await self._must_be_over(known, supervisor)
        wanted = Session(contract_id, task_id, call.namespace, call.name, 0)
        after = known.incarnation if known is not None else 0
        session = await self._stores.registry.allocate(wanted, after=after)
        if session.incarnation != after + 1:
            raise _lives(session)
        try:
            return await self._begin(call, session)
        except Superseded as error:
            raise _lives(replace(session, incarnation=error.current)) from None

    async def _begin(self, call: Register, session: Session) -> Session:
        return await self._stores.registry.register(
            session.contract_id, session.incarnation, call.registration_id, call.host, self._clock.now()
        )

    async def _must_be_over(self, known: Session, supervisor: Supervisor) -> None:
        """Two external supervisors must not take the contract from each other by accident."""
        if known.registration_id is None or known.state in OVER:
            return
        newest = await self._stores.heartbeats.newest({known.contract_id: known.incarnation})
        seen = [newest.get(known.contract_id), known.last_heartbeat_at, known.registered_at]
        last = max((moment for moment in seen if moment is not None), default=None)
        if last is not None and not _silent(last, supervisor, self._clock.now()):
            raise _lives(known)

    async def _answer(self, session: Session, carried: Carried, supervisor: Supervisor) -> Registered:
        restoration = await self._restore(session.contract_id, carried)
        await self._stores.registry.record_restoration(
            session.contract_id, session.incarnation, restoration.outcome, restoration.reason, self._clock.now()
        )
        self._on_restored(restoration.outcome.snake)
        times = heartbeat_times(supervisor.spec)
        return Registered(
            server_time=self._clock.now(),
            contract_id=session.contract_id,
            task_id=session.task_id,
            incarnation=session.incarnation,
            phase=carried.status.phase,
            contract_version=carried.status.version,
            heartbeat_interval_seconds=times.period_seconds,
            heartbeat_timeout_seconds=times.timeout_seconds,
            restoration=restoration,
            commands=await self._commands.poll(session.contract_id, 0),
        )

    async def _restore(self, contract_id: UUID, carried: Carried) -> Restoration:
        remembered = await self._stores.memory.remembered(contract_id, MESSAGES, MESSAGES_BYTES)
        return restore(remembered, carried.contract, self._clock.now())


def _silent(last: datetime, supervisor: Supervisor, now: datetime) -> bool:
    return now - last > timedelta(seconds=heartbeat_times(supervisor.spec).timeout_seconds)


def _refuse_pods(identity: Identity) -> None:
    """A pod's right is the life that it was made for. It could not act in another, but would end the one that can."""
    if identity.pod_uid is not None:
        raise refusal(
            Code.FORBIDDEN,
            "this contract is carried from outside; a pod acts for the life that the operator made it for",
            hint="use a token that names no pod: kubectl create token ACCOUNT --audience makima.dev",
        )


def _lives(session: Session) -> Refused:
    return refusal(
        Code.CONFLICT,
        f"another supervisor carries the contract, in life {session.incarnation}",
        hint="send take_over: true to take the contract from it; it is told by its next call",
        current=session.incarnation,
    )
