"""What `makima doctor` thinks of what it sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from makima.domain.doctor import Finding, judge_clocks, judge_lease, judge_rights, judge_schema, judge_version
from makima.models.history_schema import Migration, SchemaStatus

NOW = datetime(2026, 11, 25, tzinfo=UTC)
APPLIED, PENDING = Migration("0001", "base"), Migration("0002", "more")


def schema(**more: object) -> SchemaStatus:
    return SchemaStatus(
        **{"current": "0001", "head": "0001", "applied": (APPLIED,), "pending": (), "newer": False, **more}
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("finding", "well", "said"),
    [
        (judge_version(1, 32), True, "1.32"),
        (judge_version(2, 0), True, "2.0"),
        (judge_version(1, 31), False, "1.31"),
        (judge_rights("operator", []), True, "everything"),
        (judge_rights("api", ["get contracts.makima.dev"]), False, "get contracts.makima.dev"),
        (judge_schema(schema()), True, "0001"),
        (judge_schema(schema(current=None, pending=(APPLIED,))), False, "at nothing"),
        (judge_schema(schema(head="0002", pending=(PENDING,))), False, "needs 0002"),
        (judge_schema(schema(newer=True, current="0009")), False, "at 0009"),
        (judge_lease("a", NOW - timedelta(seconds=14), 15, NOW), True, "a leads"),
        (judge_lease("a", NOW - timedelta(seconds=16), 15, NOW), False, "for 16 s"),
        (judge_lease("", NOW, 15, NOW), False, "no operator leads"),
        (judge_lease("a", None, 15, NOW), False, "no operator leads"),
        (judge_clocks({"Postgres": timedelta(seconds=-4.9)}), True, "Postgres -4.9 s"),
        (judge_clocks({"API server": timedelta(0), "Postgres": timedelta(seconds=6)}), False, "+6.0 s"),
        (judge_clocks({}), True, "no other clock"),
    ],
)
def test_a_finding_says_what_was_seen_and_what_to_do(finding: Finding, well: bool, said: str) -> None:
    assert finding.well is well
    assert said in finding.text
    assert well or finding.next
