"""Lists of contracts that exist, and who is silent or waits."""

from makima.adapters.postgres.migrations.plain_sql import run_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the `.up.sql` beside this file."""
    run_beside(__file__, "up")


def downgrade() -> None:
    """Run the `.down.sql` beside this file."""
    run_beside(__file__, "down")
