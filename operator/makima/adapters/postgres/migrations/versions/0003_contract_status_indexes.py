"""The plan's indexes on contracts (1.4)."""

from makima.adapters.postgres.migrations.plain_sql import run_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the `.up.sql` beside this file."""
    run_beside(__file__, "up")


def downgrade() -> None:
    """Run the `.down.sql` beside this file."""
    run_beside(__file__, "down")
