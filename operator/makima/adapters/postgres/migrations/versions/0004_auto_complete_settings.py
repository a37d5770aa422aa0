"""Completion by itself (plan 2.3)."""

from makima.adapters.postgres.migrations.plain_sql import run_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the `.up.sql` beside this file."""
    run_beside(__file__, "up")


def downgrade() -> None:
    """Run the `.down.sql` beside this file."""
    run_beside(__file__, "down")
