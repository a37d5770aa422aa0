"""`makima migrate` as a person uses it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from makima.adapters.postgres import migrate
from makima.adapters.postgres.schema_check import known_revisions
from makima.cli.migrate import app
from makima.errors import MakimaError

HEAD = known_revisions()[-1]


def run(url: str, *arguments: str, **options: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments, "--database-url", url], **options)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_status_of_an_empty_database_lists_what_is_pending(empty_database_url: str) -> None:
    code, output = run(empty_database_url, "status")
    assert code == 3
    assert "pending  0001" in output


def test_up_names_each_migration_and_status_is_then_content(empty_database_url: str) -> None:
    _, output = run(empty_database_url, "up")
    assert "applied 0002  What a contract waits for" in output
    assert f"the schema is at {HEAD} of {HEAD}" in output
    assert run(empty_database_url, "status")[0] == 3  # the backfill is still to do
    assert "contracts_last_activity: 0 rows" in run(empty_database_url, "backfill")[1]
    code, output = run(empty_database_url, "status")
    assert (code, "backfill contracts_last_activity: finished" in output) == (0, True)
    assert "nothing to fill in" in run(empty_database_url, "backfill")[1]


def test_down_shows_what_would_go_and_changes_nothing_without_force(database_url: str) -> None:
    _, output = run(database_url, "down", "0003")
    assert f"would take back {HEAD}" in output
    assert "--force" in output
    assert migrate.status(database_url).current == HEAD


def test_down_with_force_goes_down(database_url: str) -> None:
    _, output = run(database_url, "down", "base", "--force")
    assert "the schema is at base" in output
    assert migrate.status(database_url).current is None


def test_a_newer_schema_has_an_exit_code_of_its_own(database_url: str, empty_database_url: str) -> None:
    import psycopg

    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE makima_migrations SET version_num = '9999'")
    code, output = run(database_url, "status")
    assert (code, f"it knows up to {HEAD}" in output) == (4, True)


def test_up_leaves_a_newer_schema_alone_and_is_content_only_where_that_was_said(database_url: str) -> None:
    import psycopg

    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE makima_migrations SET version_num = '9999'")
    code, output = run(database_url, "up", "--accept-newer")
    assert (code, f"the schema is at 9999, newer than this makima ({HEAD})" in output) == (0, True)
    assert isinstance(CliRunner().invoke(app, ["up", "--database-url", database_url]).exception, MakimaError)
    assert migrate.status(database_url).current == "9999"


def test_without_a_database_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKIMA_DATABASE_URL", raising=False)
    result = CliRunner().invoke(app, ["status"])
    assert isinstance(result.exception, MakimaError)
    assert "MAKIMA_DATABASE_URL" in str(result.exception)
