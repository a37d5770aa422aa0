"""Where the running operator is kept between handlers: in kopf's memo, put there at start-up."""

from __future__ import annotations

import kopf

from makima.services.operator import ContractOperator

KEY = "makima_process"


def operator_in(memo: kopf.Memo) -> ContractOperator:
    """The operator that start-up put into the memo."""
    operator: ContractOperator = memo[KEY].operator
    return operator
