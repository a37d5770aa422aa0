"""With Postgres away phases still advance; afterwards the history is complete and gapless. A full outbox holds."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from makima import database
from makima.adapters.postgres.history import PostgresHistory
from makima.domain.reconcile.history import DELIVERABLE_COMPLETED
from makima.models.bounds import PHASES, TRANSITIONS
from makima.sandbox.postgres import LocalPostgres
from tests.support.driven import Driven, phase, recorded_versions
from tests.support.operator_process import StartOperator
from tests.support.own_postgres import own_server

pytestmark = [pytest.mark.xdist_group("outbox"), pytest.mark.timeout(300)]

STEPS = 100
EACH = TRANSITIONS // PHASES + 1
"""Deliverables of a phase: in all phases, a few more than the outbox holds."""


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    with own_server("outbox", tmp_path_factory.mktemp("postgres")) as server:
        database.upgrade(server.url, "head", 60)
        yield server


@pytest.fixture(scope="module")
def module_database(own_postgres: LocalPostgres) -> str:
    return own_postgres.url


async def test_a_hundred_transitions_while_postgres_is_away_are_all_in_the_history(
    driven: Driven, start_operator: StartOperator, own_postgres: LocalPostgres
) -> None:
    """As many as the outbox holds in a first outage, and the rest of the hundred in a second."""
    start_operator().wait_leading()
    phases = [phase(f"p{p:02d}", *(f"d{d}" for d in range(EACH))) for p in range(PHASES)]
    before = (await driven.started("long", *phases))["version"]
    keys = [f"p{p:02d}/d{d}" for p in range(PHASES) for d in range(EACH)]
    own_postgres.server.kill()
    assert await report_one_by_one(driven, keys[:-1]), "the outbox never filled"
    message = await driven.until_condition("long", "HistoryRecorded", "False", "OutboxFull")
    assert "Postgres" in message
    held = await driven.status("long")
    assert len(held["transitions"]) == TRANSITIONS
    own_postgres.server.start()
    await driven.until("long", lambda now: len(now["deliverables"]) == len(keys) - 1, 60)
    await driven.until_condition("long", "HistoryRecorded", "True", "Recording")
    own_postgres.server.kill()
    while_away = held["version"] - before
    while_away += await pause_and_resume(driven, STEPS - while_away)
    own_postgres.server.start()
    await driven.report("long", keys[-1])
    await driven.until("long", lambda now: now.get("state") == "Completed", 60)
    assert while_away >= STEPS
    await assert_recorded(driven, own_postgres.url, keys)


async def pause_and_resume(driven: Driven, least: int) -> int:
    """Make at least so many transitions, each waited for; gives how many there were."""
    before = (await driven.status("long"))["version"]
    made = 0
    while made < least:
        for suspend, state in ((True, "Paused"), (False, "Active")):
            await driven.admin.patch_spec("long", suspend=suspend)
            made = (await driven.until_state("long", state))["version"] - before
    return made


async def assert_recorded(driven: Driven, database_url: str, keys: list[str]) -> None:
    """Every version is in the history, and every deliverable once."""
    body = await driven.admin.get("long")
    uid, version = body["metadata"]["uid"], body["status"]["version"]
    history = PostgresHistory(database_url)
    await history.open()
    versions = await recorded_versions(history, uid, version, 30)
    events = [stored.event for stored in await history.events(UUID(uid), limit=10_000)]
    await history.close()
    assert versions == list(range(1, version + 1))
    completed = [item.payload for item in events if item.type == DELIVERABLE_COMPLETED]
    assert sorted(f"{each['phase']}/{each['deliverable_id']}" for each in completed) == keys


async def report_one_by_one(driven: Driven, keys: list[str]) -> bool:
    """Report each deliverable, and wait for its version unless the contract holds by then."""
    now, held = await driven.status("long"), False
    for key in keys:
        await driven.report("long", key)
        now = await driven.until("long", lambda then, seen=now["version"]: then["version"] > seen or full(then))
        held = held or full(now)
    return held


def full(status: dict[str, object]) -> bool:
    """Whether the outbox holds the contract."""
    return any(item["reason"] == "OutboxFull" for item in status["conditions"])  # type: ignore[attr-defined]
