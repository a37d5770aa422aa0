"""What one sees: headlines, and waits that say what they waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console

console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """Something did not happen in time; says what was waited for."""


def step(title: str) -> None:
    """A headline."""
    console.print(f"\n[bold]== {title}[/]")


def plain(text: str) -> None:
    """A line as it is."""
    console.print(text, markup=False)


def wait(what: str, condition: Callable[[], object], seconds: float = 60) -> float:
    """Wait until the condition holds; gives the seconds that it took.

    Raises:
        DemoError: it did not, in time.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + seconds:
            raise DemoError(f"waited {seconds:.0f} s for: {what}")
        time.sleep(0.1)
    return time.monotonic() - began
