"""When the ingest was there: spans of each instance, kept for seven days."""

from __future__ import annotations

from datetime import timedelta

from makima.adapters.postgres.supervision import PostgresSupervision
from makima.models.supervision import Span
from tests.support.supervision_values import NOW

SECOND = timedelta(seconds=1)


async def test_a_span_goes_on_and_never_back(stores: PostgresSupervision) -> None:
    for seconds in (0, 2, 4, 3):
        await stores.coverage.extend("api-1", Span(NOW, NOW + SECOND * seconds))
    assert await stores.coverage.spans(NOW) == [Span(NOW, NOW + SECOND * 4)]


async def test_spans_of_all_instances_that_end_later_by_start(stores: PostgresSupervision) -> None:
    spans = [Span(NOW + SECOND * begin, NOW + SECOND * end) for begin, end in ((0, 10), (5, 30), (20, 40))]
    for place, span in enumerate((spans[2], spans[0], spans[1])):
        await stores.coverage.extend(f"api-{place % 2}", span)
    assert await stores.coverage.spans(NOW - SECOND) == spans
    assert await stores.coverage.spans(NOW + SECOND * 10) == spans[1:]
    assert await stores.coverage.spans(NOW + SECOND * 40) == []


async def test_a_new_span_removes_what_ended_a_week_before(stores: PostgresSupervision) -> None:
    old, kept = Span(NOW, NOW + SECOND), Span(NOW, NOW + SECOND * 9)
    await stores.coverage.extend("api-1", old)
    await stores.coverage.extend("api-2", kept)
    week = timedelta(days=7)
    new = Span(NOW + week, NOW + week + SECOND * 5)
    await stores.coverage.extend("api-3", new)
    assert await stores.coverage.spans(NOW - week) == [kept, new]
    await stores.coverage.extend("api-3", Span(new.started_at, new.until_at + timedelta(days=1)))  # only goes on
    assert len(await stores.coverage.spans(NOW - week)) == 2
