"""Calls about many contracts at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makima.http.examples.contracts import EARLIER, NOW, QUESTION, UID

OVERVIEW_CALLS: Mapping[str, tuple[Any, Any]] = {
    "get_dashboard": (
        None,
        {
            "statusCounts": {"active": 10, "completed": 50, "failed": 2, "waiting_for_input": 1},
            "phaseCounts": {"plan": 3, "execute": 5, "review": 2},
            "staleContracts": [
                {
                    "id": UID,
                    "namespace": "team-a",
                    "name": "fix-login",
                    "lastActivity": EARLIER,
                    "staleDurationSecs": 3600,
                }
            ],
            "waitingForInput": [
                {
                    "id": UID,
                    "namespace": "team-a",
                    "name": "fix-login",
                    "waitingFor": "question",
                    "question": "May the session table be changed?",
                    "questionId": QUESTION,
                    "since": EARLIER,
                }
            ],
            "recentEvents": [],
            "resourceUsage": {
                "activeSupervisors": 10,
                "runningTasks": 25,
                "pendingTasks": 5,
                "activeDaemons": 3,
                "totalWorktrees": 45,
            },
            "projection": {"caughtUpAt": NOW, "lagSecs": 1.8},
        },
    ),
    "batch_contracts": (
        {"operation": "archive_old", "older_than_hours": 168, "status_filter": ["completed", "failed"]},
        {
            "operation": "archive_old",
            "dry_run": False,
            "batch_id": "4e5f6071-8293-4a4b-b5c6-d7e8f90a1b0b",
            "affected_count": 1,
            "affected_ids": [UID],
            "errors": [],
            "more": False,
        },
    ),
    "report_batch": (
        {"batch_id": "4e5f6071-8293-4a4b-b5c6-d7e8f90a1b0b", "affected_ids": [UID], "errors": []},
        {"batch_id": "4e5f6071-8293-4a4b-b5c6-d7e8f90a1b0b", "result": "succeeded"},
    ),
}
