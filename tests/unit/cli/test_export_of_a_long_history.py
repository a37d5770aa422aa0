"""`export` of more events than one answer of the API holds: the rest is asked for, page by page."""

from __future__ import annotations

import pytest

from tests.support.builders import active
from tests.support.played_people import PlayedApi, PlayedPeople, named


@pytest.mark.parametrize(
    ("events", "after"),
    [(0, []), (3, []), (4, [3]), (6, [3]), (7, [3, 6]), (12, [3, 6, 9])],
)
def test_a_document_has_the_whole_history_each_event_once(events: int, after: list[int]) -> None:
    api = PlayedApi(*({"seq": number, "type": "PhaseChanged"} for number in range(1, events + 1)))
    api.page = 3
    document = PlayedPeople(named(active(), "work"), api=api).paste("makima contracts export work").ok().json
    assert [event["seq"] for event in document["history"]] == list(range(1, events + 1))
    assert document["truncated"] == []
    assert [path for path, _ in api.asked] == ["default:work/export", *["default:work/events"] * len(after)]
    assert [int(query["after"]) for _, query in api.asked[1:]] == after
