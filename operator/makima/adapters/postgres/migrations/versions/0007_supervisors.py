"""Supervisors: incarnations, heartbeats by the hour, what they save, questions, commands, coverage of the ingest."""

from makima.adapters.postgres.migrations.plain_sql import run_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the `.up.sql` beside this file."""
    run_beside(__file__, "up")


def downgrade() -> None:
    """Run the `.down.sql` beside this file."""
    run_beside(__file__, "down")
