"""Which text people may write."""

from __future__ import annotations

from makima.models.markers import Rule
from makima.schema.rules.cel import cel_string

NO_CONTROL_CHARACTERS = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*$"
"""Free text holds no NUL, which Postgres can't store, and no other control character but tab and line ends."""


def free_text(field: str) -> tuple[Rule, ...]:
    """Beside the `pattern` that every text has, which refuses the same in words that nobody reads as that."""
    message = (
        f"VALIDATION_FAILED: {field} has no NUL and no other control character but tab and line ends; take them out"
    )
    return (Rule(f"self.matches({cel_string(NO_CONTROL_CHARACTERS)})", message),)
