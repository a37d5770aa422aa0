"""What is counted as what, and how the dashboard says what a contract waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makima.domain.reads.dashboard import (
    ANSWER,
    CONFIRMATION,
    PHASES,
    dashboard,
    phase_counts,
    status_counts,
    usage_of,
    used,
)
from makima.domain.reconcile import rest
from makima.models.dashboard import Crew, Seen, Silent, Tally, Waiting
from makima.models.enums import ContractState

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ID = UUID(int=7)
NOTHING = Seen((), (), (), (), None, None)


def tally(status: str, phase: str = "plan", contracts: int = 1, running: int = 0, worktrees: int = 0) -> Tally:
    return Tally(status, phase, contracts, running, 1, worktrees)


def test_contracts_are_counted_by_status_over_all_phases() -> None:
    found = status_counts([tally("active"), tally("active", "execute", 4), tally("failed")], enhanced=True)
    assert found == {"active": 5, "failed": 1}


def test_with_the_flag_off_only_the_three_old_statuses_are_there() -> None:
    found = status_counts([tally(state.snake) for state in ContractState], enhanced=False)
    assert found == {"active": 6, "completed": 2, "archived": 1}


def test_phases_count_contracts_that_are_not_finished() -> None:
    found = phase_counts([tally("active", "plan", 2), tally("paused", "plan"), tally("completed"), tally("archived")])
    assert found == {"plan": 3}


def test_phases_are_bounded_and_those_with_the_most_stay() -> None:
    found = phase_counts([tally("active", f"p{number}", number + 1) for number in range(PHASES + 50)])
    assert (len(found), "p0" in found, found[f"p{PHASES + 49}"]) == (PHASES, False, PHASES + 50)


def test_a_host_that_two_namespaces_share_is_one_daemon() -> None:
    usage = usage_of([Crew("a", "node-1", 3), Crew("a", "node-2", 1), Crew("b", "node-1", 2)])
    assert used(usage, None) == (6, 2)
    assert used(usage, ("a", "b")) == (6, 2)
    assert used(usage, ("b", "unknown")) == (2, 1)
    assert used(usage, ()) == (0, 0)


def test_the_words_that_are_taken_apart_are_those_that_are_written() -> None:
    assert rest.SUPERVISOR_WAITS == "its supervisor waits for a person"
    source = rest.__loader__.get_source(rest.__name__)  # type: ignore[union-attr]  # a module of ours has both
    assert f'f"{ANSWER}{{' in source
    assert f'f"{CONFIRMATION}{{' in source


@pytest.mark.parametrize(
    ("told", "asked", "kind", "question"),
    [
        (
            "answer: Which database?",
            "Which database? The old one is full.",
            "question",
            "Which database? The old one is full.",
        ),
        ("answer: Which database?", None, "question", "Which database?"),
        ("confirmation: plan → execute", "Which database?", "confirmation", "plan → execute"),
        (rest.SUPERVISOR_WAITS, None, "person", rest.SUPERVISOR_WAITS),
        (None, None, "person", None),
    ],
)
def test_it_is_said_what_is_waited_for(told: str | None, asked: str | None, kind: str, question: str | None) -> None:
    waits = Waiting(ID, "ns", "work", NOW, told, UUID(int=8) if asked else None, asked)
    seen = Seen((), (), (waits,), (), None, None)
    found = dashboard(seen, usage_of([]), None, NOW, enhanced=True).waiting_for_input[0]
    assert (found.waiting_for, found.question) == (kind, question)


def test_the_answer_has_the_plans_names() -> None:
    silent = Silent(ID, "ns", "work", NOW - timedelta(hours=2), NOW - timedelta(hours=1))
    seen = Seen((tally("active", contracts=3, running=2, worktrees=5),), (silent,), (), (), NOW, timedelta(seconds=1.5))
    body = dashboard(seen, usage_of([Crew("ns", "node", 1)]), None, NOW, enhanced=True).model_dump(mode="json")
    assert body == {
        "statusCounts": {"active": 3},
        "phaseCounts": {"plan": 3},
        "staleContracts": [
            {
                "id": str(ID),
                "namespace": "ns",
                "name": "work",
                "lastActivity": "2026-11-25T10:00:00Z",
                "staleDurationSecs": 3600,  # an hour of the two was a pause
            }
        ],
        "waitingForInput": [],
        "recentEvents": [],
        "resourceUsage": {
            "activeSupervisors": 1,
            "runningTasks": 2,
            "pendingTasks": 1,
            "activeDaemons": 1,
            "totalWorktrees": 5,
        },
        "projection": {"caughtUpAt": "2026-11-25T12:00:00Z", "lagSecs": 1.5},
    }


def test_an_empty_cluster_has_an_answer_too() -> None:
    body = dashboard(NOTHING, usage_of([]), (), NOW, enhanced=True).model_dump(mode="json")
    assert body["statusCounts"] == {}
    assert body["projection"] == {"caughtUpAt": None, "lagSecs": None}
