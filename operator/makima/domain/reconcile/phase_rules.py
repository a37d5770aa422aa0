"""What makes a list of phases impossible to work with. The CRD rules refuse most of it; this names the rest.

A ContractType may have been stored before a rule existed, so the operator looks at every snapshot once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from makima.models.bounds import TASKS
from makima.models.enums import TaskPolicy
from makima.models.gate import Gate, Phase, TaskRequirement, Validator


def phase_problems(phases: Sequence[Phase]) -> tuple[str, ...]:
    """Every problem of these phases, one sentence each; empty if a contract can run through them."""
    return tuple(_problems(phases))


def _problems(phases: Sequence[Phase]) -> Iterator[str]:
    if not phases:
        yield "there are no phases; name at least one"
    for name in _repeated([phase.name for phase in phases]):
        yield f"phase {name} is there twice"
    for phase in phases:
        for identifier in _repeated([item.id for item in phase.deliverables]):
            yield f"phase {phase.name}: deliverable {identifier} is there twice"
        if phase.gate is not None:
            yield from _gate_problems(phase, phase.gate)


def _gate_problems(phase: Phase, gate: Gate) -> Iterator[str]:
    for identifier in gate.required_deliverables or ():
        if phase.deliverable(identifier) is None:
            yield f"phase {phase.name}: its gate names deliverable {identifier}, which the phase does not have"
    if gate.required_tasks is not None:
        yield from _task_problems(phase, gate.required_tasks)
    if gate.validator is not None:
        yield from _validator_problems(phase, gate.validator)


def _task_problems(phase: Phase, tasks: TaskRequirement) -> Iterator[str]:
    if tasks.policy is TaskPolicy.MIN_COMPLETE and tasks.min is None:
        yield f"phase {phase.name}: task policy MinComplete needs min"
    if tasks.policy is not TaskPolicy.MIN_COMPLETE and tasks.min is not None:
        yield f"phase {phase.name}: min goes with task policy MinComplete, not {tasks.policy}"
    if tasks.policy is TaskPolicy.NAMED_TASKS and not tasks.names:
        yield f"phase {phase.name}: task policy NamedTasks needs names"
    if tasks.policy is not TaskPolicy.NAMED_TASKS and tasks.names:
        yield f"phase {phase.name}: names go with task policy NamedTasks, not {tasks.policy}"
    if len(tasks.names) > TASKS:
        yield f"phase {phase.name}: more than {TASKS} named tasks"


def _validator_problems(phase: Phase, validator: Validator) -> Iterator[str]:
    if (validator.cel is None) == (validator.http is None):
        yield f"phase {phase.name}: its validator needs exactly one of cel and http"


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
