"""Which text people may write."""

from __future__ import annotations

from makima.models.markers import Rule
from makima.schema.rules.cel import cel_string

NO_CONTROL_CHARACTERS = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*$"
"""Free text holds no NUL, which Postgres can't store, and no other control character but tab and line ends."""

FREE_TEXT = (
    Rule(
        f"self.matches({cel_string(NO_CONTROL_CHARACTERS)})",
        "VALIDATION_FAILED: text has no NUL and no other control character but tab and line ends; take them out",
    ),
)
"""Beside the `pattern` that every text has, which refuses the same in words that nobody reads as that."""
