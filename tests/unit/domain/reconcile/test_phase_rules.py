"""Phases that no contract could run through, each with a sentence that says what is wrong."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.domain.reconcile.phase_rules import phase_problems
from makima.models.enums import TaskPolicy
from makima.models.gate import CelValidator, Deliverable, Gate, HttpValidator, Phase, TaskRequirement, Validator
from tests.support.builders import a_gate, a_phase, a_validator, all_tasks, named_tasks, some_tasks


@pytest.mark.parametrize("name", BUILTIN_TYPES)
def test_built_in_types_have_no_problem(name: str) -> None:
    assert phase_problems(BUILTIN_TYPES[name]) == ()


@pytest.mark.parametrize(
    "gate",
    [
        None,
        Gate(),
        a_gate(all_tasks()),
        a_gate(some_tasks(1)),
        a_gate(named_tasks("build")),
        a_gate(validator=a_validator()),
        a_gate(validator=Validator(http=HttpValidator(service="checks"))),
        a_gate(requires=["notes"]),
    ],
)
def test_a_gate_that_fits_its_phase_has_no_problem(gate: Gate | None) -> None:
    assert phase_problems([a_phase("plan", "notes", gate=gate)]) == ()


def tasks(policy: TaskPolicy, least: int | None = None, *names: str) -> Gate:
    return a_gate(TaskRequirement(policy=policy, min=least, names=names))


@pytest.mark.parametrize(
    ("phases", "problem"),
    [
        ([], "there are no phases; name at least one"),
        ([a_phase("plan"), a_phase("plan")], "phase plan is there twice"),
        (
            [Phase(name="plan", deliverables=(Deliverable(id="notes"), Deliverable(id="notes")))],
            "phase plan: deliverable notes is there twice",
        ),
        (
            [a_phase("plan", "notes", gate=a_gate(requires=["note"]))],
            "phase plan: its gate names deliverable note, which the phase does not have",
        ),
        ([a_phase("plan", gate=tasks(TaskPolicy.MIN_COMPLETE))], "phase plan: task policy MinComplete needs min"),
        (
            [a_phase("plan", gate=tasks(TaskPolicy.ALL_COMPLETE, 2))],
            "phase plan: min goes with task policy MinComplete, not AllComplete",
        ),
        ([a_phase("plan", gate=tasks(TaskPolicy.NAMED_TASKS))], "phase plan: task policy NamedTasks needs names"),
        (
            [a_phase("plan", gate=tasks(TaskPolicy.NONE, None, "build"))],
            "phase plan: names go with task policy NamedTasks, not None",
        ),
        (
            [a_phase("plan", gate=a_gate(validator=Validator()))],
            "phase plan: its validator needs exactly one of cel and http",
        ),
        (
            [
                a_phase(
                    "plan",
                    gate=a_gate(
                        validator=Validator(cel=CelValidator(expression="true"), http=HttpValidator(service="s"))
                    ),
                )
            ],
            "phase plan: its validator needs exactly one of cel and http",
        ),
    ],
)
def test_a_problem_is_said_in_one_sentence(phases: list[Phase], problem: str) -> None:
    assert phase_problems(phases) == (problem,)


def test_every_problem_is_said_at_once() -> None:
    gate = a_gate(TaskRequirement(policy=TaskPolicy.MIN_COMPLETE), Validator(), requires=["gone"])
    assert len(phase_problems([a_phase("plan", gate=gate), a_phase("plan", gate=gate)])) == 7


def test_a_deliverable_of_another_phase_is_none_of_this_one() -> None:
    phases = [a_phase("plan", "notes"), a_phase("execute", gate=a_gate(requires=["notes"]))]
    assert phase_problems(phases) == ("phase execute: its gate names deliverable notes, which the phase does not have",)
