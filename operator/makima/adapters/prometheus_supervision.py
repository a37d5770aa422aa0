"""What the operator counts of supervisors and workspaces, in the registry of its other metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from makima.domain.reasons import AliveReason
from makima.models.enums import RestorationOutcome


class SupervisionMetrics:
    """`SupervisionMetrics` of `makima.services.supervision.status_news`, and the workspaces' `WorkspaceMetrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._restarts = Counter(
            "supervisor_restarts", "Lives that followed another, by how that ended.", ["reason"], registry=registry
        )
        self._given_up = Counter(
            "supervisor_restart_budgets_spent", "Supervisors that were given up: no further life.", registry=registry
        )
        self._restorations = Counter(
            "supervisor_restorations", "How supervisors came back.", ["outcome"], registry=registry
        )
        self._worktrees = Gauge("makima_worktrees", "Worktrees that the last clearings left.", registry=registry)
        self._removed = Counter("makima_worktrees_removed", "Worktrees that were removed.", registry=registry)
        self._failed = Counter("makima_worktrees_failed", "Worktrees that could not be removed.", registry=registry)
        self._left: dict[str, int] = {}
        for reason in (item for item in AliveReason if item in ENDS):
            self._restarts.labels(reason.value)
        for outcome in RestorationOutcome:
            self._restorations.labels(outcome.snake)

    def supervisor_restarted(self, reason: str) -> None:
        """One more `supervisor_restarts_total`."""
        self._restarts.labels(reason).inc()

    def supervisor_given_up(self) -> None:
        """One more `supervisor_restart_budgets_spent_total`."""
        self._given_up.inc()

    def supervisor_restored(self, outcome: str) -> None:
        """One more `supervisor_restorations_total`."""
        self._restorations.labels(outcome).inc()

    def workspace_cleared(self, uid: str, left: int, removed: int, failed: int) -> None:
        """A clearing of the workspace of this contract ended."""
        self._left[uid] = left
        self._worktrees.set(sum(self._left.values()))
        self._removed.inc(removed)
        self._failed.inc(failed)

    def workspace_gone(self, uid: str) -> None:
        """The contract is gone."""
        if self._left.pop(uid, None) is not None:
            self._worktrees.set(sum(self._left.values()))


ENDS = frozenset(
    {
        AliveReason.EXITED,
        AliveReason.VANISHED,
        AliveReason.TIMED_OUT,
        AliveReason.DISRUPTED,
        AliveReason.RESTART_REQUESTED,
    }
)
"""Every value of the label `reason`."""
