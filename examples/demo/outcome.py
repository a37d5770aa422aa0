"""What is there in the end: the contract, its history, the conversation of both lives, and what was written."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
from narration import DemoError, console, plain, step
from people import CONTRACT, NAMESPACE, Person

CONVERSATION = """
SELECT m.sequence, m.incarnation, m.content FROM supervisor_messages m JOIN supervisors s USING (contract_id)
WHERE (s.namespace, s.name) = (%s, %s) ORDER BY m.sequence
"""


def show_outcome(dana: Person, database_url: str, scratch: Path) -> None:
    """Everything that is left.

    Raises:
        DemoError: the conversation is not what both lives said, each message once.
    """
    step("Completed")
    dana.kubectl("get", "contracts")
    dana.kubectl("get", "supervisors", "-o", "wide")
    step("The conversation, from Postgres: every message once, and where the second life went on")
    show_conversation(database_url)
    step("The history, from Postgres")
    os.environ["MAKIMA_DATABASE_URL"] = database_url
    dana.run("makima", "contracts", "history", f"{NAMESPACE}/{CONTRACT}")
    step("What was written (its digest is in status.deliverables)")
    file = scratch / "release-notes" / "RELEASE_NOTES.md"
    notes = file.read_text().splitlines()
    plain("\n".join(notes[:8]))
    console.print(f"… {len(notes)} lines in {file}")


def show_conversation(database_url: str) -> None:
    """Which life said what."""
    with psycopg.connect(database_url, connect_timeout=10) as connection:
        said = connection.execute(CONVERSATION, (NAMESPACE, CONTRACT)).fetchall()
    for sequence, life, content in said:
        plain(f"  {sequence:2}  life {life}  {content}")
    if [row[0] for row in said] != list(range(1, len(said) + 1)) or len({row[2] for row in said}) != len(said):
        raise DemoError("a message is missing, or is there twice")
    if {row[1] for row in said} != {1, 2}:
        raise DemoError("not both lives have said something")
