"""What only Postgres knows of a contract, for the decision about it: heartbeats, work that left no trace, answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from makima.domain.reconcile.activity import heard_status, is_stale
from makima.domain.reconcile.reports import open_answers
from makima.domain.settings import Settings
from makima.errors import HistoryUnavailable
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState
from makima.models.supervision import StoredQuestion
from makima.ports import Clock
from makima.services.reconcile.knowledge import Known
from makima.services.supervision.supervisor_cache import SupervisorCache
from makima.stores import MemoryStore, WorkStore

log = logging.getLogger(__name__)


class ContractKnowledge:
    """Asks Postgres where the decision needs it; most looks ask nothing."""

    def __init__(
        self, work: WorkStore, memory: MemoryStore, cache: SupervisorCache, settings: Settings, clock: Clock
    ) -> None:
        self._work, self._memory, self._cache = work, memory, cache
        self._settings, self._clock = settings, clock

    async def of(self, contract: Contract) -> Known:
        """What is known now. With Postgres away answers wait, and nobody is called stuck."""
        known = Known(heard=self._heard(contract), recorded_answers=frozenset())
        try:
            known = replace(known, recorded_answers=await self._store_answers(contract))
            return replace(known, worked=await self._worked(contract, known.heard))
        except HistoryUnavailable as error:
            meta = contract.metadata
            log.info("contract %s/%s: Postgres is needed, and asked again: %s", meta.namespace, meta.name, error)
            return replace(known, heard=None, incomplete=True)

    def _heard(self, contract: Contract) -> datetime | None:
        carrier = self._cache.get((contract.metadata.namespace, contract.metadata.name))
        session = carrier.session if carrier is not None else None
        if session is None or str(session.contract_id) != contract.metadata.uid:
            return None
        return session.last_heartbeat_at

    async def _worked(self, contract: Contract, heard: datetime | None) -> datetime | None:
        """Asked where progress is watched, and before a contract is called stale: messages are activity too."""
        status, uid = contract.status, UUID(contract.metadata.uid)
        if status is None:
            return None
        if contract.spec.progress_deadline_seconds is not None and status.state is ContractState.ACTIVE:
            return await self._memory.worked(uid)
        if status.supervisor_ref is None or not self._seems_stale(contract, status, heard):
            return None
        try:
            return await self._memory.worked(uid)
        except HistoryUnavailable:
            return None  # it is told by what is known: asking again would wake every stale contract in each outage

    def _seems_stale(self, contract: Contract, status: ContractStatus, heard: datetime | None) -> bool:
        now = self._clock.now()
        return is_stale(contract.spec, heard_status(status, [heard], now), self._settings, now)

    async def _store_answers(self, contract: Contract) -> frozenset[str]:
        """Postgres first, with the command that takes the answer to the supervisor; then the question is closed."""
        answers = open_answers(contract)
        if not answers:
            return frozenset()
        reference = contract.status.supervisor_ref if contract.status is not None else None
        life, now = reference.incarnation if reference is not None else 0, self._clock.now()
        await self._work.answer(
            [
                StoredQuestion(
                    id=UUID(question.id),
                    contract_id=UUID(contract.metadata.uid),
                    incarnation=life,
                    phase=question.phase,
                    text=question.question,
                    options=question.options,
                    asked_at=question.asked_time,
                    answer=answer.answer,
                    answered_at=now,
                )
                for question, answer in answers
            ]
        )
        return frozenset(question.id for question, _ in answers)
