"""What goes along with contracts: it sees each one at rest, may have something to tell it, and goes when it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from makima.domain.supervisor_calls.told import Report
from makima.models.contract import Contract
from makima.ports import JsonObject, ObjectKey


class Companion(Protocol):
    """A part of the operator beside contracts.

    Attributes:
        on_report: called with the UID of a contract that should be looked at again.
    """

    on_report: Callable[[str], None]

    def reports(self, uid: str) -> tuple[Report, ...]:
        """What the contract of this UID has to be told; again and again until its status says so."""
        ...

    def at_rest(self, contract: Contract, body: JsonObject) -> None:
        """Nothing more is to be done about this contract now."""
        ...

    def contract_gone(self, key: ObjectKey) -> None:
        """This contract is gone."""
        ...

    def start(self) -> None:
        """Begin to work."""
        ...

    async def stop(self) -> None:
        """End; what was under way is found again by whoever leads next."""
        ...

    async def compare(self) -> None:
        """Compare what is known with what there is; a watch may have missed something.

        Raises:
            ClusterError: it is not to be had now.
        """
        ...
