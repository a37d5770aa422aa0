"""What the node's own processes say: standard error, which is their log."""

from __future__ import annotations

import sys


def tell(text: str) -> None:
    """One message, at once: who says it may be about to end."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
