"""What every migration must keep to, read from its files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from makima.adapters.postgres.migrations.plain_sql import OUTSIDE, statements
from makima.adapters.postgres.revisions import all_migrations
from makima.adapters.postgres.schema_check import VERSIONS, check_revision, known_revisions
from makima.errors import HistoryUnavailable

UP_SCRIPTS = sorted(VERSIONS.glob("*.up.sql"))
NEW_TABLE = re.compile(r"CREATE TABLE (\w+)")
NEW_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?\w+ ON (\w+)")


def code(script: Path) -> str:
    return re.sub(r"--.*", "", script.read_text(encoding="utf-8"))


each_up_script = pytest.mark.parametrize("script", UP_SCRIPTS, ids=lambda path: path.name)


def run_at_once(script: Path) -> str:
    """Without what the script only defines: bodies of functions, and what triggers are for."""
    return re.sub(r"\$\$.*?\$\$|\bAFTER DELETE ON\b", "", code(script), flags=re.DOTALL)


@each_up_script
def test_no_up_script_drops_or_empties_what_holds_data(script: Path) -> None:
    emptied = r"\bDROP\s+(TABLE|COLUMN|SCHEMA|TYPE)\b|\bTRUNCATE\b|\bDELETE\b"
    assert not re.search(emptied, run_at_once(script), re.IGNORECASE)


@each_up_script
def test_no_up_script_rewrites_or_renames_a_column(script: Path) -> None:
    assert not re.search(r"\bRENAME\b|\bALTER\s+COLUMN\s+\w+\s+(SET\s+DATA\s+)?TYPE\b", code(script), re.IGNORECASE)


@each_up_script
def test_a_new_column_has_a_default_or_may_be_null(script: Path) -> None:
    added = re.findall(r"ADD COLUMN ([^,;]+)", code(script))
    assert all("NOT NULL" not in column or "DEFAULT" in column for column in added)


@each_up_script
def test_an_index_on_a_table_that_exists_is_built_concurrently(script: Path) -> None:
    made_here = set(NEW_TABLE.findall(code(script)))
    on_old_tables = [m.group(0) for m in NEW_INDEX.finditer(code(script)) if m.group(1) not in made_here]
    assert all("CONCURRENTLY" in statement for statement in on_old_tables)


@each_up_script
def test_a_script_outside_a_transaction_can_be_repeated(script: Path) -> None:
    if script.read_text(encoding="utf-8").startswith(OUTSIDE):
        created = re.findall(r"CREATE INDEX CONCURRENTLY (\w+)", code(script))
        assert created
        assert all(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" in statements(code(script)) for name in created)


@each_up_script
def test_every_migration_has_a_way_back_and_a_title(script: Path) -> None:
    assert script.with_name(script.name.replace(".up.", ".down.")).is_file()
    assert script.with_name(script.name.replace(".up.sql", ".py")).is_file()


def test_the_files_and_alembic_agree_on_the_order() -> None:
    revisions = [migration.revision for migration in all_migrations()]
    assert revisions == list(known_revisions())
    assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]


def test_code_refuses_a_database_that_was_never_migrated() -> None:
    with pytest.raises(HistoryUnavailable, match="makima migrate up"):
        check_revision(None)


def test_code_refuses_an_older_schema_and_says_what_to_run() -> None:
    with pytest.raises(HistoryUnavailable, match="at migration 0001, this makima needs 0(?s:.*)makima migrate up"):
        check_revision("0001")


@pytest.mark.parametrize("revision", [known_revisions()[-1], "9999"])
def test_code_works_with_its_own_schema_and_newer_ones(revision: str) -> None:
    check_revision(revision)
