"""What a supervisor told the API service in one call, and what became of it.

Postgres has a task or a question before it is told here (design, "Ordering" 2). Whoever tells it asks `decide` first
without writing, so that nothing is stored that would be refused. Only a task that is unfinished in Postgres may be told
as spawned, and it has to be in the status before Postgres has its end: then one that the status does not list has been
counted already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from makima.domain.reconcile.validation import Question
from makima.models.enums import AdvanceOutcome
from makima.models.wire.problem import Code


@dataclass(frozen=True, slots=True)
class Caller:
    """Which life of which Supervisor speaks."""

    name: str
    uid: str
    incarnation: int

    @property
    def actor(self) -> str:
        """As whom it is named in the history."""
        return f"supervisor/{self.incarnation}"


@dataclass(frozen=True, slots=True)
class SpawnTask:
    """There is a new task. `phase` is the one that Postgres has for it."""

    by: Caller
    id: str
    name: str
    phase: str
    at: datetime
    template: str | None = None


@dataclass(frozen=True, slots=True)
class RunTask:
    """The Job of a task is there. The operator says so, for whichever life."""

    id: str
    by: None = None


@dataclass(frozen=True, slots=True)
class EndTask:
    """A task has ended. `by` is None where the operator saw its Job end: that counts for whichever life."""

    by: Caller | None
    id: str
    failed: bool
    at: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class AskQuestion:
    """A person is asked."""

    by: Caller
    id: str
    text: str
    phase: str
    at: datetime
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkspaceCleared:
    """A Job has cleared up the workspace, or has only counted what it would remove (`orphans`).

    Attributes:
        number: which clearing it was, from 1; None = the Job does not say, and only its time tells whether it is new.
    """

    removed: int
    left: int
    failed: int
    at: datetime
    by: None = None
    orphans: int = 0
    number: int | None = None


@dataclass(frozen=True, slots=True)
class CompleteDeliverable:
    """A deliverable is there."""

    by: Caller
    phase: str
    id: str
    uri: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class AskAdvance:
    """The supervisor wants to move on, from exactly this version."""

    by: Caller
    to: str
    expected_version: int
    reason: str = ""


Report = SpawnTask | RunTask | EndTask | AskQuestion | CompleteDeliverable | AskAdvance | WorkspaceCleared


@dataclass(frozen=True, slots=True)
class Taken:
    """It is in the status that goes with this outcome; `duplicate`: it was there before."""

    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer life carries the contract: nothing of what this one says counts."""

    current: int


@dataclass(frozen=True, slots=True)
class RefusedReport:
    """It can't be taken: what is wrong, and what to do next."""

    code: Code
    message: str
    hint: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdvanceAnswer:
    """What became of a wish to move on.

    Attributes:
        phase: of the contract after it; `version` likewise.
        deliverables: what a person has to look at before confirming.
        missing: what the gate misses.
        awaits: the gate's validator has to be asked first; with its verdict the same wish gets another answer.
    """

    outcome: AdvanceOutcome
    phase: str
    version: int
    message: str = ""
    deliverables: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    awaits: Question | None = None


Outcome = Taken | Superseded | RefusedReport | AdvanceAnswer
