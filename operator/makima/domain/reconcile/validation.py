"""What is asked of a gate's validator, and what it answered: asked outside, passed in as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from makima.models.gate import Validator


@dataclass(frozen=True, slots=True)
class Question:
    """Ask this validator about this phase.

    Attributes:
        fingerprint: names what the validator is asked about (contract UID, phase, deliverables, tasks); an answer
            counts only for the same fingerprint.
    """

    fingerprint: str
    phase: str
    validator: Validator


@dataclass(frozen=True, slots=True)
class Verdict:
    """A validator's answer.

    Attributes:
        ready: whether the validator is content (already true when it failed under failurePolicy Ignore).
        missing: what it says is missing, in its own words; or what went wrong when it could not be asked.
        failed: it gave no answer (error, time-out, refused address).
    """

    fingerprint: str
    at: datetime
    ready: bool
    missing: tuple[str, ...] = ()
    failed: bool = False

    def fresh(self, question: Question, now: datetime) -> bool:
        """Whether this still answers `question` at `now` (validator.retrySeconds)."""
        limit = timedelta(seconds=question.validator.retry_seconds)
        return self.fingerprint == question.fingerprint and now < self.at + limit
