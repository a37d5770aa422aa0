"""`makima operator` as a process of its own, to be killed, frozen and started again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Self

from makima.sandbox import Sandbox
from tests.support.own_process import MAKIMA_GROUPS, ProcessUnderTest

OPERATOR_USER = "system:serviceaccount:makima-system:makima-operator"


class OperatorUnderTest(ProcessUnderTest):
    """One operator process."""

    command = ("-m", "makima", "operator")
    section = "OPERATOR"
    stop_seconds = 20

    def wait_leading(self, seconds: float = 60) -> Self:
        """Wait until it drives contracts."""
        deadline = time.monotonic() + seconds
        while "leading as" not in self.log.read_text():
            assert self.running, f"the operator ended: {self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"the operator does not lead: {self.log.read_text()[-3000:]}"
            time.sleep(0.05)
        return self

    def wait_ready(self, seconds: float = 30) -> Self:
        """Wait until /readyz says yes."""
        return super().wait_ready(seconds)


StartOperator = Callable[..., OperatorUnderTest]
"""Starts one more operator; takes settings by keyword, and a kubeconfig if not the account's own is to be used."""


@contextmanager
def operators(
    sandbox: Sandbox, namespace: str, database_url: str, folder: Path, **settings: object
) -> Iterator[StartOperator]:
    """Start operators that compete for one namespace, on the operator's own account; all are ended at the end.

    Args:
        sandbox: where they work.
        namespace: what they watch; their Lease is named after it.
        database_url: of the history.
        folder: for their logs.
        settings: of all of them, where one start says nothing else.
    """
    account = sandbox.cluster.kubeconfig_for(OPERATOR_USER, MAKIMA_GROUPS)
    common = {"operator__namespaces": f'["{namespace}"]', "operator__lease_name": f"lease-{namespace}", **settings}
    number = count()
    with ExitStack() as ends:

        def start(kubeconfig: Path = account, **own: object) -> OperatorUnderTest:
            log = folder / f"operator-{next(number)}.log"
            operator = OperatorUnderTest(log, kubeconfig, database_url, **{**common, **own})
            ends.callback(operator.stop)
            return operator.start()

        yield start
