"""Kubernetes Events to send: a reason from a closed list, a type, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from makima.domain.reasons import EventReason


@dataclass(frozen=True, slots=True)
class Notice:
    """One Event. `warning` picks the Event type; `message` says what is so and what to do next."""

    reason: EventReason
    message: str
    warning: bool = False
