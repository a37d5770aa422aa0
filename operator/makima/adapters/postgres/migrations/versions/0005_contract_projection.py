"""Contracts as a projection of Kubernetes objects, gone ones included."""

from makima.adapters.postgres.migrations.plain_sql import run_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the `.up.sql` beside this file."""
    run_beside(__file__, "up")


def downgrade() -> None:
    """Run the `.down.sql` beside this file."""
    run_beside(__file__, "down")
