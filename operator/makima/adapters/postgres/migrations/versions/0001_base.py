"""The starting point of the plan: contracts, tasks, events."""

from makima.adapters.postgres.migrations.plain_sql import run_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the `.up.sql` beside this file."""
    run_beside(__file__, "up")


def downgrade() -> None:
    """Run the `.down.sql` beside this file."""
    run_beside(__file__, "down")
