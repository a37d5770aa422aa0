"""Every reason word, once. They are part of the interface: people alert on them, so they are only ever added."""

from __future__ import annotations

from enum import StrEnum


class EventReason(StrEnum):
    """Reasons of Kubernetes Events on a contract."""

    REFUSED = "Refused"
    ACTIVATED = "Activated"
    PHASE_ADVANCED = "PhaseAdvanced"
    PHASE_FORCED = "PhaseForced"
    CONFIRMATION_REQUIRED = "ConfirmationRequired"
    ANSWER_REQUIRED = "AnswerRequired"
    ADVANCE_REFUSED = "AdvanceRefused"
    PAUSED = "Paused"
    RESUMED = "Resumed"
    BLOCKED = "Blocked"
    COMPLETED = "Completed"
    FINAL_VALIDATION_FAILED = "FinalValidationFailed"
    FAILED = "Failed"
    RETRIED = "Retried"
    ARCHIVED = "Archived"
    ARCHIVE_REFUSED = "ArchiveRefused"
    STALE_DETECTED = "StaleDetected"
    OUTBOX_FULL = "HistoryOutboxFull"
    INVALID_DELIVERABLE = "InvalidDeliverable"
    VALIDATOR_FAILED = "ValidatorFailed"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    STATUS_UNREADABLE = "StatusUnreadable"
    WRITE_DENIED = "WriteDenied"
    EXPIRED = "TimeToLiveExpired"
    SUPERVISOR_STARTED = "SupervisorStarted"
    SUPERVISOR_RESTARTED = "SupervisorRestarted"
    SUPERVISOR_RELEASED = "SupervisorReleased"
    SUPERVISOR_SILENT = "SupervisorSilent"
    SUPERVISOR_GIVEN_UP = "SupervisorGivenUp"
    SUPERVISOR_RESTORED = "SupervisorRestored"
    POD_NOT_STARTED = "PodNotStarted"
    TASK_NOT_STARTED = "TaskNotStarted"
    WORKSPACE_NOT_CLEARED = "WorkspaceNotCleared"


class TransitionReason(StrEnum):
    """Reasons of transitions: why a version came to be."""

    ACCEPTED = "Accepted"
    ACTIVATED = "Activated"
    DELIVERABLE_COMPLETED = "DeliverableCompleted"
    ADVANCED = "Advanced"
    CONFIRMED = "Confirmed"
    FORCED = "Forced"
    AUTO_ADVANCED = "AutoAdvanced"
    WAITING_FOR_CONFIRMATION = "WaitingForConfirmation"
    WAITING_FOR_ANSWER = "WaitingForAnswer"
    WORK_RESUMED = "WorkResumed"
    BLOCKED = "Blocked"
    PAUSED = "Paused"
    RESUMED = "Resumed"
    COMPLETION_REQUESTED = "CompletionRequested"
    COMPLETION_DETECTED = "CompletionDetected"
    COMPLETED = "Completed"
    FINAL_VALIDATION_FAILED = "FinalValidationFailed"
    RETRIED = "Retried"
    ARCHIVED = "Archived"
    SUPERVISOR_GIVEN_UP = "SupervisorGivenUp"


class ConditionType(StrEnum):
    """Conditions of a contract."""

    READY = "Ready"
    PROGRESSING = "Progressing"
    STALE = "Stale"
    HISTORY_RECORDED = "HistoryRecorded"
    SUCCEEDED = "Succeeded"
    ALIVE = "Alive"
    RESTORED = "Restored"


class AliveReason(StrEnum):
    """Reasons of a Supervisor's condition Alive. Decisions go by them, also those of the next operator."""

    NOT_REGISTERED = "NotRegistered"
    STARTING = "Starting"
    HEARTBEATING = "Heartbeating"
    EXITED = "Exited"
    VANISHED = "Vanished"
    TIMED_OUT = "TimedOut"
    DISRUPTED = "Disrupted"
    RESTART_REQUESTED = "RestartRequested"
    RETRIED = "Retried"
    ENDED = "Ended"
    RELEASED = "Released"
    SUSPENDED = "Suspended"
    FINISHED = "Finished"
    GIVEN_UP = "GivenUp"


class ConditionReason(StrEnum):
    """Reasons of conditions."""

    ACCEPTED = "Accepted"
    UNKNOWN_TYPE = "UnknownType"
    INVALID_PHASES = "InvalidPhases"
    INVALID_DELIVERABLE = "InvalidDeliverable"
    ARCHIVE_REFUSED = "ArchiveRefused"
    NOT_STARTED = "NotStarted"
    IN_PHASE = "InPhase"
    WAITING_FOR_INPUT = "WaitingForInput"
    PAUSED = "Paused"
    BLOCKED = "Blocked"
    FINAL_VALIDATION = "FinalValidation"
    COMPLETED = "Completed"
    FAILED = "Failed"
    ARCHIVED = "Archived"
    RETRIED = "Retried"
    RECENT_ACTIVITY = "RecentActivity"
    NO_ACTIVITY = "NoActivity"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    RECORDING = "Recording"
    OUTBOX_FULL = "OutboxFull"
