"""The dashboard and the list as anybody would write them: COUNT over the rows, pages by OFFSET.

On the same tables, with the same indexes, over one connection that is open already.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg

FINISHED = "('completed', 'failed', 'archived')"
DASHBOARD = (
    "SELECT status, count(*) FROM contracts WHERE deleted_at IS NULL GROUP BY status",
    f"SELECT phase, count(*) FROM contracts WHERE deleted_at IS NULL AND status NOT IN {FINISHED} GROUP BY phase",
    (
        "SELECT uid, contracts.name, GREATEST(last_activity_at, last_heartbeat_at) AS heard FROM contracts"
        " LEFT JOIN supervisors ON contract_id = uid WHERE deleted_at IS NULL"
        " AND status IN ('created', 'active', 'waiting_for_input', 'blocked', 'completing')"
        " AND GREATEST(last_activity_at, last_heartbeat_at) < now() - interval '30 minutes'"
        " ORDER BY heard LIMIT 100 OFFSET 0"
    ),
    (
        "SELECT uid, name, waiting_for, (SELECT text FROM questions WHERE contract_id = uid AND answered_at IS NULL"
        " ORDER BY asked_at LIMIT 1) FROM contracts WHERE deleted_at IS NULL AND status = 'waiting_for_input'"
        " ORDER BY status_changed_at LIMIT 100 OFFSET 0"
    ),
    "SELECT * FROM events ORDER BY seq DESC LIMIT 20 OFFSET 0",
    (
        "SELECT count(*) FILTER (WHERE tasks.state = 'running'), count(*) FILTER (WHERE tasks.state = 'pending')"
        " FROM tasks JOIN contracts ON uid = contract_id WHERE deleted_at IS NULL"
    ),
    "SELECT count(*), count(DISTINCT host) FROM supervisors WHERE last_heartbeat_at > now() - interval '2 minutes'",
    "SELECT sum(worktrees) FROM contracts WHERE deleted_at IS NULL",
)
PAGE = (
    "SELECT count(*) FROM contracts WHERE deleted_at IS NULL",
    "SELECT * FROM contracts WHERE deleted_at IS NULL ORDER BY created_at, uid LIMIT %(limit)s OFFSET %(skip)s",
)


def asked(connection: psycopg.Connection[Any], queries: tuple[str, ...], **values: int) -> tuple[float, list[Any]]:
    """Seconds until every answer was there, and the answers."""
    began = time.perf_counter()
    found = [connection.execute(query.encode(), values or None).fetchall() for query in queries]
    return time.perf_counter() - began, found
