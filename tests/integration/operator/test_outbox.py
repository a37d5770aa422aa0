"""With Postgres away phases still advance; afterwards the history is complete and gapless. A full outbox holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from makima import database
from makima.adapters.postgres.history import PostgresHistory
from makima.models.bounds import DELIVERABLES_PER_PHASE, TRANSITIONS
from makima.sandbox.postgres import LocalPostgres
from tests.support.driven import Driven, phase, recorded_versions
from tests.support.operator_process import StartOperator
from tests.support.own_postgres import own_server

pytestmark = [pytest.mark.xdist_group("outbox"), pytest.mark.timeout(300)]

STEPS = 100


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    with own_server("outbox", tmp_path_factory.mktemp("postgres")) as server:
        database.upgrade(server.url, "head", 60)
        yield server


@pytest.fixture(scope="module")
def module_database(own_postgres: LocalPostgres) -> str:
    return own_postgres.url


async def test_a_hundred_transitions_while_postgres_is_away_are_all_in_the_history(
    driven: Driven, start_operator: StartOperator, own_postgres: LocalPostgres, tmp_path: Path
) -> None:
    start_operator().wait_leading()
    phases = [phase(f"p{p:02d}", *(f"d{d}" for d in range(DELIVERABLES_PER_PHASE))) for p in range(12)]
    await driven.started("long", *phases)
    uid = (await driven.admin.get("long"))["metadata"]["uid"]
    keys = [f"p{p:02d}/d{d}" for p in range(12) for d in range(DELIVERABLES_PER_PHASE)]
    assert len(keys) >= STEPS - 12
    own_postgres.server.kill()
    held = await report_one_by_one(driven, keys[:-1])
    assert held, "the outbox never filled"
    message = await driven.until_condition("long", "HistoryRecorded", "False", "OutboxFull")
    assert "Postgres" in message
    status = await driven.status("long")
    assert len(status["transitions"]) == TRANSITIONS
    own_postgres.server.start()
    await driven.until("long", lambda now: len(now["deliverables"]) == len(keys) - 1, 60)
    await driven.report("long", keys[-1])
    status = await driven.until("long", lambda now: now.get("state") == "Completed", 60)
    await driven.until_condition("long", "HistoryRecorded", "True", "Recording")
    history = PostgresHistory(own_postgres.url)
    await history.open()
    versions = await recorded_versions(history, uid, status["version"], 30)
    await history.close()
    assert versions == list(range(1, status["version"] + 1))


async def report_one_by_one(driven: Driven, keys: list[str]) -> bool:
    """Report each deliverable, and wait for its version unless the contract holds by then."""
    held = False
    for key in keys:
        before = (await driven.status("long"))["version"]
        await driven.report("long", key)
        held = held or full(await driven.until("long", lambda now, seen=before: now["version"] > seen or full(now)))
    return held


def full(status: dict[str, object]) -> bool:
    """Whether the outbox holds the contract."""
    return any(item["reason"] == "OutboxFull" for item in status["conditions"])  # type: ignore[attr-defined]
