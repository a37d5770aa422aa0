"""What a contract still has to be told of its tasks and its workspace: until its status says so."""

from __future__ import annotations

from collections.abc import Callable

from makima.domain.reconcile.task_list import ENDED
from makima.domain.supervisor_calls.told import Report, RunTask, WorkspaceCleared
from makima.models.contract_status import ContractStatus
from makima.models.enums import TaskState


class TaskReports:
    """Reports of all contracts, by what they are about."""

    def __init__(self, on_report: Callable[[str], None]) -> None:
        """`on_report` is called with the UID of a contract that has something to be told."""
        self._on_report = on_report
        self._reports: dict[str, dict[str, Report]] = {}

    def of(self, uid: str) -> tuple[Report, ...]:
        """What the contract of this UID has to be told."""
        return tuple(self._reports.get(uid, {}).values())

    def holds(self, uid: str, about: str) -> bool:
        """Whether that was decided already, and the contract does not know it yet."""
        return about in self._reports.get(uid, {})

    def tell(self, uid: str, about: str, report: Report) -> None:
        """From here on the contract has to be told this."""
        self._reports.setdefault(uid, {})[about] = report
        self._on_report(uid)

    def settle(self, uid: str, status: ContractStatus) -> None:
        """Forget what the contract has been told."""
        left = {key: item for key, item in self._reports.get(uid, {}).items() if not _settled(status, key, item)}
        if left:
            self._reports[uid] = left
        else:
            self._reports.pop(uid, None)

    def forget(self, uid: str) -> None:
        """Nothing is to be told any more."""
        self._reports.pop(uid, None)


def _settled(status: ContractStatus, about: str, report: Report) -> bool:
    """Whether the contract's status says so by now."""
    if isinstance(report, WorkspaceCleared):
        return status.workspace is not None and status.workspace.cleared_time >= report.at
    task = next((item for item in status.tasks if item.id == about), None)
    if task is None or task.state in ENDED:
        return True
    return isinstance(report, RunTask) and task.state is not TaskState.PENDING
