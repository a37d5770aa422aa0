"""Where the running operator is kept between handlers: in kopf's memo, put there at start-up."""

from __future__ import annotations

import kopf

from makima.services.reconcile.operator import ContractOperator
from makima.supervision_wiring import Supervision

KEY = "makima_process"


def supervision_in(memo: kopf.Memo) -> Supervision:
    """The part about supervisors; handlers that ask for it are registered only if it is there."""
    found: Supervision = memo[KEY].supervision
    return found


def operator_in(memo: kopf.Memo) -> ContractOperator:
    """The operator that start-up put into the memo."""
    operator: ContractOperator = memo[KEY].operator
    return operator
