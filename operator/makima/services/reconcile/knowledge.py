"""What a decision about a contract may need to know from Postgres, and whoever finds it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from makima.models.contract import Contract


@dataclass(frozen=True, slots=True)
class Known:
    """As `makima.domain.reconcile.draft.Surroundings` takes it.

    Attributes:
        incomplete: Postgres did not answer; ask again soon.
    """

    heard: datetime | None = None
    worked: datetime | None = None
    recorded_answers: frozenset[str] | None = None
    incomplete: bool = False


class Knowledge(Protocol):
    """Whoever asks Postgres for a decision."""

    async def of(self, contract: Contract) -> Known:
        """What is known of this contract now; never raises for Postgres' sake."""
        ...
