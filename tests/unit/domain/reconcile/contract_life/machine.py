"""A contract's life for a property-based test: everything that people, supervisors, Postgres and time can do to it.

After each rule the operator may look or not, so changes also arrive together. Every write goes through
`tests.support.api_rules`; what is kept beside the contract is what the outside world has seen of it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from makima.domain.settings import Settings
from makima.models.bounds import DELIVERABLES_PER_PHASE
from makima.models.enums import SupervisorState
from makima.models.gate import Phase
from tests.support.builders import (
    a_contract,
    a_gate,
    a_phase,
    a_supervisor,
    a_validator,
    all_tasks,
    named_tasks,
    some_tasks,
    two_phases,
)
from tests.unit.domain.reconcile.contract_life.people import People
from tests.unit.domain.reconcile.contract_life.supervisors import Supervisors
from tests.unit.domain.reconcile.contract_life.world import World

SHAPES: dict[str, tuple[Phase, ...]] = {
    "one": (a_phase("only", "d", optional=("extra",), gate=a_gate()),),
    "moves by itself": two_phases(),
    "by hand": (a_phase("plan", "a"), a_phase("execute", "b"), a_phase("review")),
    "tasks": (
        a_phase("plan", "a", gate=a_gate(all_tasks())),
        a_phase("execute", gate=a_gate(some_tasks(2))),
        a_phase("review", gate=a_gate(named_tasks("build"))),
    ),
    "validated": (
        a_phase("plan", "a", gate=a_gate(validator=a_validator(retry_seconds=60))),
        a_phase("execute", "b", gate=a_gate(validator=a_validator(retry_seconds=1), auto=False)),
        a_phase("review", gate=a_gate(validator=a_validator(retry_seconds=600))),
    ),
    "late validator": (a_phase("only", "d", gate=a_gate(validator=a_validator(retry_seconds=60))),),
    "many": tuple(a_phase(f"p{n}", *(f"d{k}" for k in range(DELIVERABLES_PER_PHASE)), gate=a_gate()) for n in range(5)),
}


class ContractLife(People, Supervisors, World):
    """One contract from its first apply on."""

    @initialize(
        shape=st.sampled_from([*SHAPES, "one", "one", "late validator"]),
        own=st.sampled_from([*[True] * 9, False]),
        attended=st.booleans(),
        says=st.sampled_from(["yes", "yes", "by turns"]),
        spec=st.fixed_dictionaries(
            {},
            optional={
                "phase_guard": st.just(True),
                "auto_complete": st.just(False),
                "suspend": st.just(True),
                "stale_after_seconds": st.just(100),
                "ttl_seconds_after_finished": st.just(1000),
            },
        ),
    )
    def apply(self, shape: str, own: bool, attended: bool, says: str, spec: dict[str, Any]) -> None:
        self.phases = SHAPES[shape]
        self.contract = a_contract(*self.phases, **spec) if own else a_contract(type="migration", **spec)
        self.settings, self.now, self.says, self.asked = Settings(), 0.0, says, 0
        self.kind = None
        self.supervisor = a_supervisor(SupervisorState.WORKING) if attended else None
        self.verdict = None
        self.postgres = {}
        self.recorder_works = True
        self.heard = None
        self.tasks = {}
        self.listed = set()
        self.history = {}
        self.entered = []
        self.confirmed = {}
        self.look_at_it()
