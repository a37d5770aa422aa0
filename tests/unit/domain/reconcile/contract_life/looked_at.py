"""The operator's part in a contract's life: it looks, decides and writes, now or only after the next change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.reconcile.validation import Question, Verdict
from makima.domain.supervisor_calls.told import Outcome, Report
from makima.models.contract_type import ContractType
from makima.models.gate import Phase
from makima.models.supervisor import Supervisor
from tests.support.builders import at, drive, status_of, wanting, written
from tests.unit.domain.reconcile.contract_life.observed import ObservedLife

LOOK = st.sampled_from([True, True, False])
MOSTLY = st.sampled_from([True, True, True, False])
SELDOM = st.sampled_from([*[False] * 6, True])
NUMBERS = st.integers(1, 3)


class LookedAtLife(ObservedLife):
    """A contract with an operator: each rule says whether it looks at once, so that changes also arrive together."""

    phases: tuple[Phase, ...]
    says: str
    asked: int
    kind: ContractType | None
    supervisor: Supervisor | None
    verdict: Verdict | None
    recorder_works: bool
    heard: float | None

    def look_at_it(self, look: bool = True) -> None:
        """Let the operator act until it rests, and see what it wrote."""
        if not look:
            return
        before = self.contract
        self.contract, decisions = drive(self.contract, self.surroundings(), answer=self.ask, limit=80)
        for decision in decisions:
            if decision.status is not None:
                self.saw(before.status, decision.status)
                before = before.model_copy(update={"status": decision.status})
        self.rested(decisions[-1])
        if self.recorder_works:
            self.record()

    def surroundings(self) -> Surroundings:
        return Surroundings(
            settings=self.settings,
            now=at(self.now),
            contract_type=self.kind,
            supervisor=self.supervisor,
            verdict=self.verdict,
            recorded_version=max(self.postgres, default=0),
            heard=None if self.heard is None else at(self.heard),
        )

    def tell(self, *reports: Report) -> tuple[Outcome, ...]:
        """One call to the API service: one decision, one write, then the answers."""
        seen = replace(self.surroundings(), reports=reports)
        decision: Decision = decide(self.contract, seen)
        if decision.status is not None:
            before = status_of(self.contract)
            self.contract = written(self.contract, decision, seen)
            self.saw(before, decision.status)
        return decision.told

    def ask(self, question: Question) -> Verdict:
        self.asked += 1
        ready = {"yes": True, "no": False, "fails": False, "by turns": self.asked % 2 == 1}[self.says]
        missing = () if ready else ("Tests: red",)
        self.verdict = Verdict(question.fingerprint, at(self.now), ready, missing, self.says == "fails")
        return self.verdict

    def record(self) -> None:
        if self.contract.status is not None:
            self.postgres |= {item.version: item for item in self.contract.status.transitions}

    def want(self, look: bool, **spec: Any) -> None:
        self.contract = wanting(self.contract, **spec)
        self.look_at_it(look)
