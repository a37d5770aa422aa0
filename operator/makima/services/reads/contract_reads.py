"""What people read of one contract, also of one that is gone."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from makima.contract_stores import ContractHistory
from makima.domain.settings import Settings
from makima.models.history import Place, StoredEvent
from makima.models.wire.contracts import ContractDetail, DeliverableList, QuestionPage, TaskPage
from makima.models.wire.history import HistoryEntry, HistoryPage
from makima.ports import Clock
from makima.services.access.contract_lookup import Located
from makima.services.access.live_contract import accepted, contract_in
from makima.services.reads import cursor
from makima.services.reads.contract_views import deliverables, detail, detail_of_row
from makima.services.reads.record_views import event_view, question_view, task_view


class ContractReads:
    """Answers about a contract that the caller may read (`makima.services.access.contract_lookup`)."""

    def __init__(self, history: ContractHistory, settings: Settings, clock: Clock) -> None:
        self._history, self._settings, self._clock = history, settings, clock

    def detail(self, found: Located) -> ContractDetail:
        """The contract: from the resource, or what the projection kept of it."""
        if found.body is not None:
            return detail(contract_in(found.body), self._settings, self._clock.now())
        assert found.row is not None, "a contract that is gone has a row"
        return detail_of_row(found.row, self._settings)

    def deliverables(self, found: Located) -> DeliverableList:
        """Its deliverables.

        Raises:
            Refused: CONTRACT_NOT_FOUND, it is gone; UNAVAILABLE, it is not accepted yet.
        """
        status = accepted(contract_in(found.live()))
        return DeliverableList(phase=status.phase, version=status.version, deliverables=deliverables(status))

    async def events(self, found: Located, after: int, limit: int) -> HistoryPage:
        """The next events.

        Raises:
            HistoryUnavailable: Postgres is away.
        """
        stored = await self._history.events(found.uid, after, limit + 1)
        page = [self._event(item) for item in stored[:limit]]
        last = page[-1].seq if page else after
        return HistoryPage(events=tuple(page), next_after=last, more=len(stored) > limit)

    async def newest_events(self, found: Located, before: int, limit: int) -> HistoryPage:
        """The last events before this number.

        Raises:
            HistoryUnavailable: Postgres is away.
        """
        stored = await self._history.newest_events(found.uid, before, limit + 1)
        page = [self._event(item) for item in stored[-limit:]]
        return HistoryPage(events=tuple(page), next_after=page[-1].seq if page else 0, more=len(stored) > limit)

    def _event(self, stored: StoredEvent) -> HistoryEntry:
        return event_view(stored, enhanced=self._settings.enhanced_status)

    async def tasks(self, found: Located, text: str | None, limit: int) -> TaskPage:
        """Its tasks, oldest first.

        Raises:
            Refused: VALIDATION_FAILED, the cursor is of no use.
            HistoryUnavailable: Postgres is away.
        """
        query, now = _query("tasks", found.uid), self._clock.now()
        stored = await self._history.tasks_after(found.uid, cursor.decode(text, query, now), limit + 1)
        last = Place(stored[limit - 1].created_at, stored[limit - 1].id) if len(stored) > limit else None
        tasks = tuple(task_view(task) for task in stored[:limit])
        return TaskPage(tasks=tasks, next_cursor=last and cursor.encode(last, query, now))

    async def questions(self, found: Located, text: str | None, limit: int, *, only_open: bool) -> QuestionPage:
        """Its questions, oldest first. Raises: as `tasks`."""
        query, now = {**_query("questions", found.uid), "open": only_open}, self._clock.now()
        place = cursor.decode(text, query, now)
        stored = await self._history.questions_after(found.uid, place, limit + 1, only_open=only_open)
        last = Place(stored[limit - 1].asked_at, stored[limit - 1].id) if len(stored) > limit else None
        questions = tuple(question_view(one) for one in stored[:limit])
        return QuestionPage(questions=questions, next_cursor=last and cursor.encode(last, query, now))


def _query(what: str, uid: UUID) -> Mapping[str, object]:
    return {"list": what, "contract": str(uid)}
