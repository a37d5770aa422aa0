"""What happens to a contract without anybody meaning it: time, Postgres, other operators, settings, validators."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.support.builders import a_gate, a_phase, a_type
from tests.unit.domain.reconcile.contract_life.looked_at import LOOK, MOSTLY, SELDOM, LookedAtLife

FLAGS = (
    "auto_complete_enabled",
    "auto_advance_phases",
    "enhanced_status",
    "auto_complete",
    "monitoring",
    "supervisor_heartbeat",
)


class World(LookedAtLife):
    """The world around a contract."""

    @rule(seconds=st.sampled_from([0.001, 1.0, 59.0, 61.0, 101.0, 700.0, 2000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.look_at_it()

    @rule(seconds=st.sampled_from([0.5, 5.0]))
    def another_leader_whose_clock_is_behind(self, seconds: float) -> None:
        self.now = max(0.0, self.now - seconds)
        self.look_at_it()

    @rule(works=st.booleans())
    def postgres_comes_or_goes(self, works: bool) -> None:
        self.recorder_works = works
        self.look_at_it()

    @rule()
    def another_operator_that_knows_no_verdict(self) -> None:
        self.verdict = None
        self.look_at_it()

    @rule(flag=st.sampled_from(FLAGS), on=MOSTLY)
    def switch(self, flag: str, on: bool) -> None:
        self.settings = replace(self.settings, **{flag: on})
        self.look_at_it()

    @rule(says=st.sampled_from(["yes", "no", "fails", "by turns"]), look=LOOK)
    def validator_says(self, says: str, look: bool) -> None:
        self.says = says
        self.look_at_it(look)

    @rule(there=MOSTLY, bad=SELDOM)
    def contract_type_changes(self, there: bool, bad: bool) -> None:
        wrong = a_phase("only", gate=a_gate(requires=["gone"]))
        self.kind = a_type("migration", *((wrong,) if bad else self.phases)) if there else None
        self.look_at_it()

    @rule(times=st.sampled_from([0, 0, 0, 6, 36]))
    def pauses_and_resumes_many_times(self, times: int) -> None:
        """What fills an outbox."""
        for _ in range(times):
            self.want(True, suspend=not self.contract.spec.suspend)
