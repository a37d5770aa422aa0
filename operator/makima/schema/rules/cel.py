"""How rules are written: literals of CEL, and the rule that several kinds share."""

from __future__ import annotations

from makima.models.markers import Rule


def cel_string(text: str) -> str:
    """A CEL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def cel_list(texts: tuple[str, ...]) -> str:
    """A CEL list of strings."""
    return "[" + ", ".join(cel_string(text) for text in texts) + "]"


def short_name(kind: str) -> Rule:
    """The rule on the name of a kind whose objects are named in labels."""
    return Rule(
        "size(self.metadata.name) <= 63",
        f"VALIDATION_FAILED: the name of a {kind} has at most 63 characters, because it is the value of a label too",
    )
