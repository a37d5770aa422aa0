"""A piece of text on the screen, whoever wrote it."""

from __future__ import annotations

from rich.text import Text
from textual.visual import VisualType
from textual.widgets import Static

from makima.tui.harmless import harmless


class Words(Static):
    """Shows text as it is: it can't steer the terminal, and is no markup."""

    def __init__(self, content: str | Text = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(harmless(content), id=id, classes=classes)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show this text."""
        super().update(harmless(content) if isinstance(content, str | Text) else content, layout=layout)
