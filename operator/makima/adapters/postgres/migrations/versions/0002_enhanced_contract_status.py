"""What a contract waits for, and when something last happened (plan 1.4 and 1.5)."""

from makima.adapters.postgres.migrations.plain_sql import run_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the `.up.sql` beside this file."""
    run_beside(__file__, "up")


def downgrade() -> None:
    """Run the `.down.sql` beside this file."""
    run_beside(__file__, "down")
