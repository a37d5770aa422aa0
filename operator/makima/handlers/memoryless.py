"""kopf's storages of what was handled before, switched off: level-triggered handlers need no memory on the object.

kopf copies and compares every object on every event for handlers that detect changes. There are none here, so the copy
is the most expensive part of an event that nobody looks at.
"""

from __future__ import annotations

from typing import Any

import kopf


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps no last-handled configuration, and builds none."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of the object is compared."""
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """Nothing is remembered."""
        return None

    def store(self, **_: Any) -> None:
        """Nothing is written to the object."""


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress of handlers: `on.event` has none."""

    def fetch(self, **_: Any) -> None:
        """Nothing is remembered."""

    def store(self, **_: Any) -> None:
        """Nothing is written to the object."""

    def purge(self, **_: Any) -> None:
        """Nothing is there to be taken away."""

    def touch(self, **_: Any) -> None:
        """Nothing is written to the object."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Nothing is there to be taken away."""
        return essence
