"""Which phases, gates and contract types the API server takes."""

from __future__ import annotations

from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.models.markers import Rule
from makima.schema.rules.cel import cel_list

PHASE = (
    Rule(
        "!has(self.gate) || !has(self.gate.requiredDeliverables) || self.gate.requiredDeliverables.all(id,"
        " has(self.deliverables) && self.deliverables.exists(d, d.id == id))",
        "'VALIDATION_FAILED: the gate of phase ' + self.name + ' requires a deliverable that the phase does not have: '"
        " + self.gate.requiredDeliverables.filter(id,"
        " !has(self.deliverables) || !self.deliverables.exists(d, d.id == id))[0]",
        expression=True,
    ),
)

PHASES = (
    Rule(
        "size(self) > 0",
        "VALIDATION_FAILED: there has to be a phase; spec.phases is left out of a contract that has those of its type",
    ),
    Rule(
        "self.all(p, self.exists_one(q, q.name == p.name))",
        "'VALIDATION_FAILED: each phase has a name of its own; more than one is called '"
        " + self.map(p, p.name).filter(name, !self.exists_one(q, q.name == name))[0]",
        expression=True,
    ),
)
"""Beside `minItems` and the list's key, which refuse the same, but in words that say neither the code nor the name."""

TASK_REQUIREMENT = (
    Rule(
        "!has(self.policy) || self.policy != 'MinComplete' || has(self.min)",
        "VALIDATION_FAILED: task policy MinComplete needs min, the number of tasks that have to be complete",
    ),
    Rule(
        "!has(self.min) || (has(self.policy) && self.policy == 'MinComplete')",
        "VALIDATION_FAILED: min goes with task policy MinComplete",
    ),
    Rule(
        "!has(self.policy) || self.policy != 'NamedTasks' || (has(self.names) && size(self.names) > 0)",
        "VALIDATION_FAILED: task policy NamedTasks needs names, the tasks that have to be complete",
    ),
    Rule(
        "!has(self.names) || size(self.names) == 0 || (has(self.policy) && self.policy == 'NamedTasks')",
        "VALIDATION_FAILED: names goes with task policy NamedTasks",
    ),
)

VALIDATOR = (Rule("has(self.cel) != has(self.http)", "VALIDATION_FAILED: a validator is exactly one of cel and http"),)

CONTRACT_TYPE = (
    Rule(
        "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
        "VALIDATION_FAILED: the name of a contract type is a DNS label (a-z, 0-9, -; at most 63), as spec.type is",
    ),
    Rule(
        f"!(self.metadata.name in {cel_list(tuple(BUILTIN_TYPES))})",
        f"VALIDATION_FAILED: {', '.join(BUILTIN_TYPES)} are built in; choose another name",
    ),
)
