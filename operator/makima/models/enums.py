"""Every closed set of words, once: CamelCase on Kubernetes, snake_case in REST and Postgres (design, "Names")."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache


class Word(StrEnum):
    """An enum whose value is the Kubernetes spelling; `snake` is the other one."""

    @property
    def snake(self) -> str:
        """The REST and Postgres spelling: `WaitingForInput` is `waiting_for_input`."""
        return _snake(self.value)

    @classmethod
    def from_snake(cls, text: str) -> Word:
        """The member spelled `text` in snake_case.

        Raises:
            ValueError: no member is spelled so.
        """
        found = _members(cls).get(text)
        if found is None:
            raise ValueError(f"{text!r} is none of {', '.join(_members(cls))}")
        return found


@cache
def _snake(value: str) -> str:
    """Asked for with every heartbeat."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", value).lower()


@cache
def _members(words: type[Word]) -> dict[str, Word]:
    return {member.snake: member for member in words}


class ContractState(Word):
    """Where a contract stands (plan 1.4; the table of moves is `makima.domain.reconcile.states`)."""

    CREATED = "Created"
    ACTIVE = "Active"
    WAITING_FOR_INPUT = "WaitingForInput"
    PAUSED = "Paused"
    BLOCKED = "Blocked"
    COMPLETING = "Completing"
    COMPLETED = "Completed"
    FAILED = "Failed"
    ARCHIVED = "Archived"


class LegacyStatus(Word):
    """The three statuses that clients older than the plan's phase 1 know."""

    ACTIVE = "Active"
    COMPLETED = "Completed"
    ARCHIVED = "Archived"


class SupervisorState(Word):
    """What a supervisor says that it does (plan 3.1)."""

    INITIALIZING = "Initializing"
    IDLE = "Idle"
    WORKING = "Working"
    WAITING_FOR_USER = "WaitingForUser"
    WAITING_FOR_TASKS = "WaitingForTasks"
    BLOCKED = "Blocked"
    COMPLETED = "Completed"
    FAILED = "Failed"
    INTERRUPTED = "Interrupted"


class CommandKind(Word):
    """What the server tells a supervisor (design, "Heartbeats")."""

    PAUSE = "Pause"
    RESUME = "Resume"
    STOP = "Stop"
    RESTART = "Restart"
    SYNC = "Sync"
    ANSWER = "Answer"
    PHASE_CHANGED = "PhaseChanged"
    TASK_FINISHED = "TaskFinished"


class Priority(Word):
    """How much a deliverable matters; only Required ones hold a gate back."""

    REQUIRED = "Required"
    RECOMMENDED = "Recommended"
    OPTIONAL = "Optional"


class TaskPolicy(Word):
    """Which tasks a gate waits for (plan 2.1, TaskRequirement)."""

    NONE = "None"
    ALL_COMPLETE = "AllComplete"
    MIN_COMPLETE = "MinComplete"
    NAMED_TASKS = "NamedTasks"


class TaskState(Word):
    """Where a task stands."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"


class FailurePolicy(Word):
    """What a validator that gives no answer means: Fail holds the gate, Ignore lets it pass."""

    FAIL = "Fail"
    IGNORE = "Ignore"


class AdvanceOutcome(Word):
    """What became of `spec.advance` (plan 1.2, PhaseChangeResult)."""

    SUCCESS = "Success"
    VERSION_CONFLICT = "VersionConflict"
    REQUIRES_CONFIRMATION = "RequiresConfirmation"
    VALIDATION_FAILED = "ValidationFailed"
    UNAUTHORIZED = "Unauthorized"


class WhileWaiting(Word):
    """Whether a supervisor keeps its pod while its contract waits for a person."""

    KEEP = "Keep"
    RELEASE = "Release"


class RestartAction(Word):
    """What a restart rule does when it matches (shaped like a Job's podFailurePolicy)."""

    RESTART = "Restart"
    FAIL_CONTRACT = "FailContract"
    IGNORE = "Ignore"


class RuleOperator(Word):
    """How a restart rule compares exit codes."""

    IN = "In"
    NOT_IN = "NotIn"


class RestorationOutcome(Word):
    """How a supervisor came back (plan 3.4)."""

    FRESH = "Fresh"
    CHECKPOINT = "Checkpoint"
    QUESTIONS_REDELIVERED = "QuestionsRedelivered"
    WAITING_FOR_TASKS = "WaitingForTasks"
    RESUMED = "Resumed"


class ConditionStatus(Word):
    """Kubernetes' three-valued truth."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class TerminationOrder(Word):
    """When a volume claim that the operator made for a workspace goes away."""

    DELETE = "Delete"
    RETAIN = "Retain"
