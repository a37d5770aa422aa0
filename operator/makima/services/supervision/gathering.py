"""What is known of a supervisor at the moment: its object, its pods, its row in Postgres, and its silence."""

from __future__ import annotations

from uuid import UUID

from makima.domain.supervision.steps import Seen
from makima.models.contract import Contract
from makima.models.supervisor import Supervisor, SupervisorStatus
from makima.ports import Clock
from makima.services.supervision.life_steps import LifeSteps, OutOfDateError
from makima.services.supervision.supervisor_cache import Carrier


class Gathering:
    """Reads what the cache does not have, or has in an old picture."""

    def __init__(self, steps: LifeSteps, clock: Clock) -> None:
        self._steps, self._clock = steps, clock

    async def seen(self, carrier: Carrier, contract: Contract) -> Seen:
        """What the next step is decided on.

        Raises:
            OutOfDateError: the Supervisor is gone.
            MakimaError: Postgres or the API server does not say.
        """
        if carrier.body is None:
            raise OutOfDateError("it is gone")
        contract_id = UUID(contract.metadata.uid)
        supervisor = Supervisor.model_validate(carrier.body)
        status, pods = supervisor.status, carrier.own_pods()
        if self._stale(carrier, contract_id, status):
            await self._steps.read_session(contract_id, carrier)
        if status is not None and status.pod_uid and status.pod_uid not in {pod.uid for pod in pods}:
            await self._steps.find_pod(carrier, status.pod_name or "")
            pods = carrier.own_pods()
        lives = status.incarnation if status is not None else None
        silent = carrier.silent.since if carrier.silent is not None and carrier.silent.incarnation == lives else None
        session = carrier.session if carrier.session and carrier.session.contract_id == contract_id else None
        return Seen(contract, supervisor, pods, session, silent, self._clock.now())

    def _stale(self, carrier: Carrier, contract_id: UUID, status: SupervisorStatus | None) -> bool:
        """Whether Postgres has to be asked: a row that is behind the status may only be an old picture of it."""
        session, lives = carrier.session, (status.incarnation if status is not None else None) or 0
        if session is None or session.contract_id != contract_id:
            return not carrier.session_read or session is not None or lives > 0
        return session.incarnation < lives
