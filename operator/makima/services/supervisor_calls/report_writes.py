"""How a report gets into the status of its contract: decided, written over exactly what was decided on, and told.

`decide` is asked before anything is stored (`must_be_taken`), and once more for the write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.reconcile.validation import Verdict
from makima.domain.settings import Settings
from makima.domain.supervisor_calls import told
from makima.domain.supervisor_calls.told import Outcome, RefusedReport, Report, Taken
from makima.errors import Superseded
from makima.models.contract_status import ContractStatus
from makima.models.supervision import Session
from makima.models.wire.work import Accepted
from makima.ports import Clock, EventSink, Validators
from makima.services.refusals import refusal
from makima.services.supervisor_calls.carried_work import Carried, CarriedWork


@dataclass(frozen=True, slots=True)
class Around:
    """What a report is decided with, and who is told of what it caused.

    Attributes:
        on_move: called with the phases left and entered.
    """

    settings: Settings
    validators: Validators
    events: EventSink
    clock: Clock
    on_move: Callable[[str, str], None]


class ReportWrites:
    """Takes reports, one at a time, of the life that carries the contract."""

    def __init__(self, work: CarriedWork, around: Around) -> None:
        self._work, self._around = work, around

    async def tell(self, session: Session, incarnation: int, report: Report) -> Accepted:
        """Write it, and answer that it is taken."""
        outcome, carried = await self.write(session, incarnation, report, None)
        assert isinstance(outcome, Taken), f"{outcome} is no answer to {report}"
        return self.accepted(carried.status, duplicate=outcome.duplicate)

    async def write(
        self, session: Session, incarnation: int, report: Report, verdict: Verdict | None
    ) -> tuple[Outcome, Carried]:
        """Bring the report into the status.

        Raises:
            Refused: whatever the contract refuses.
            makima.errors.MakimaError: Superseded; the API server is away.
        """
        seen: list[tuple[Carried, Decision, Outcome]] = []

        def decided(carried: Carried) -> ContractStatus | None:
            decision, outcome = self._decide(carried, report, verdict)
            seen.append((carried, decision, outcome))
            return decision.status if _wrote(carried, decision) else None

        after = await self._work.change(session, incarnation, decided)
        before, decision, outcome = seen[-1]
        self._announce(before, after, decision)
        return outcome, after

    def must_be_taken(self, carried: Carried, report: Report) -> None:
        """Raise what the contract would refuse, before anything is stored."""
        self._decide(carried, report, None)

    def _decide(self, carried: Carried, report: Report, verdict: Verdict | None) -> tuple[Decision, Outcome]:
        around = Surroundings(
            settings=self._around.settings,
            now=self._around.clock.now(),
            supervisor=carried.supervisor,
            verdict=verdict,
            reports=(report,),
            recorded_answers=frozenset(),  # closing a question is for the operator, which stores the answer first
        )
        decision = decide(carried.contract, around)
        outcome = decision.told[0]
        if isinstance(outcome, told.Superseded):
            raise Superseded(outcome.current)
        if isinstance(outcome, RefusedReport):
            raise refusal(outcome.code, outcome.message, hint=outcome.hint, **dict(outcome.details))
        return decision, outcome

    def _announce(self, before: Carried, after: Carried, decision: Decision) -> None:
        if before.body["metadata"]["resourceVersion"] == after.body["metadata"]["resourceVersion"]:
            return
        for notice in decision.notices:
            self._around.events.publish(after.body, notice, self._around.clock.now())
        if before.status.phase != after.status.phase:
            self._around.on_move(before.status.phase, after.status.phase)

    def accepted(self, status: ContractStatus, *, duplicate: bool) -> Accepted:
        """The answer to a report that is in this status."""
        return Accepted(server_time=self._around.clock.now(), contract_version=status.version, duplicate=duplicate)


def _wrote(carried: Carried, decision: Decision) -> bool:
    return decision.status is not None and decision.status != carried.status
