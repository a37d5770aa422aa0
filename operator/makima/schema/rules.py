"""The CEL rules of the CRDs, by the model class that they belong to (design, "Enforced by the API server itself").

Here is what one object alone, or an object and its predecessor, can decide at a price the API server accepts.
Relations between parts of an object are in `policies/`. The state table comes from `makima.domain.reconcile.states`.

What one field alone can decide is a rule of that field (`FIELD_RULES`), not of the object around it: for each `self.x`
the API server builds a map of all of the object's fields (apiextensions' `Structural.Properties`). With the transition
rules on a status of 26 fields, that was a sixth of its CPU (pprof, 1,000 contracts of nine versions each).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.domain.reconcile.states import TRANSITIONS
from makima.models.contract import Contract
from makima.models.contract_spec import ContractSpec
from makima.models.contract_status import ContractStatus
from makima.models.contract_type import ContractType
from makima.models.enums import ContractState
from makima.models.gate import Phase, TaskRequirement, Validator
from makima.models.markers import Model, Rule
from makima.models.supervisor import Supervisor, SupervisorSettings, SupervisorSpec, SupervisorStatus


def cel_string(text: str) -> str:
    """A CEL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def cel_list(texts: tuple[str, ...]) -> str:
    """A CEL list of strings."""
    return "[" + ", ".join(cel_string(text) for text in texts) + "]"


def transition_rules() -> tuple[Rule, ...]:
    """The state table: one rule for each state that a contract can be in before."""
    return tuple(_transition_rule(old) for old in ContractState)


def _transition_rule(old: ContractState) -> Rule:
    following = tuple(new.value for new in ContractState if new in TRANSITIONS[old])
    allowed = ", ".join(following) or "nothing else"
    return Rule(
        f"oldSelf != {cel_string(old)} || self in {cel_list((old.value, *following))}",
        f"'INVALID_TRANSITION: {old} -> ' + self + '; from {old} a contract can become {allowed}'",
        expression=True,
    )


def _short_name(kind: str) -> Rule:
    return Rule(
        "size(self.metadata.name) <= 63",
        f"VALIDATION_FAILED: the name of a {kind} has at most 63 characters, because it is the value of a label too",
    )


CONTRACT = (
    _short_name("contract"),
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.state) || (has(self.status) && has(self.status.state))",
        "INVALID_TRANSITION: the status of an accepted contract is never taken away",
    ),
)

_SAME_ORDER = "self.map(p, p.name) == oldSelf.map(p, p.name)"
"""Lists that are maps are equal in any order, and the order of phases is what they are about."""

CONTRACT_SPEC = (
    Rule(
        "has(self.type) == has(oldSelf.type)",
        "VALIDATION_FAILED: spec.type is immutable; create another contract instead",
    ),
    Rule(
        "has(self.phases) == has(oldSelf.phases)",
        "VALIDATION_FAILED: spec.phases is immutable; create another contract instead",
    ),
)

SPEC_TYPE = (
    Rule(
        "self == oldSelf",
        "'VALIDATION_FAILED: spec.type is immutable (' + oldSelf + '); create another contract instead'",
        expression=True,
    ),
)

SPEC_PHASES = (
    Rule(
        f"self == oldSelf && {_SAME_ORDER}",
        "VALIDATION_FAILED: spec.phases is immutable; create another contract instead",
    ),
)

_ACCEPTED = ("state", "phase", "version", "phases", "stateChangedTime", "lastActivityTime")
_ALL = " && ".join(f"has(self.{name})" for name in _ACCEPTED)
_NONE = " && ".join(f"!has(self.{name})" for name in _ACCEPTED)

CONTRACT_STATUS = (
    Rule(
        f"({_ALL}) || ({_NONE})",
        f"VALIDATION_FAILED: {', '.join(_ACCEPTED)} are set together when the contract is accepted, and stay",
    ),
    Rule(
        "!has(self.state) || (oldSelf.hasValue() && has(oldSelf.value().state))"
        " || (has(self.phase) && has(self.version) && has(self.phases)"
        " && self.state == 'Created' && self.version == 1 && self.phase == self.phases[0].name)",
        "INVALID_TRANSITION: a contract starts Created, in its first phase, at version 1",
        optional_old_self=True,
    ),
    Rule(
        "!has(self.recordedVersion) || (has(self.version) && self.recordedVersion <= self.version)",
        "VALIDATION_FAILED: recordedVersion is a version that there was",
    ),
    Rule(
        "has(self.recordedVersion) || !has(oldSelf.recordedVersion)",
        "VALIDATION_FAILED: recordedVersion never goes back: what is recorded stays recorded",
    ),
)

STATUS_PHASES = (Rule("self == oldSelf", "VALIDATION_FAILED: the accepted phases do not change"),)

STATUS_VERSION = (
    Rule(
        "(self - oldSelf) in [0, 1]",
        "VERSION_CONFLICT: a version is raised by exactly 1, with every change of state, phase or deliverables",
    ),
)

STATUS_RECORDED_VERSION = (
    Rule(
        "self >= oldSelf",
        "VALIDATION_FAILED: recordedVersion never goes back: what is recorded stays recorded",
    ),
)

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

SUPERVISOR_SETTINGS = (
    Rule(
        "!has(self.heartbeatTimeoutSeconds) || !has(self.heartbeatPeriodSeconds)"
        " || self.heartbeatTimeoutSeconds > self.heartbeatPeriodSeconds",
        "VALIDATION_FAILED: heartbeatTimeoutSeconds has to be longer than heartbeatPeriodSeconds, or every supervisor"
        " is dead between two heartbeats",
    ),
)

SUPERVISOR = (
    _short_name("supervisor"),
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.incarnation)"
        " || (has(self.status) && has(self.status.incarnation))",
        "VALIDATION_FAILED: the incarnation of a supervisor is never taken away",
    ),
)

SUPERVISOR_INCARNATION = (
    Rule(
        "self >= oldSelf",
        "VALIDATION_FAILED: an incarnation never falls: writes of older lives are refused by it",
    ),
)

SUPERVISOR_STATUS = (
    Rule(
        "!has(self.podUid) || (has(self.incarnation) && self.incarnation >= 1)",
        "VALIDATION_FAILED: a pod belongs to a life: podUid needs an incarnation",
    ),
)

RULES: Mapping[type[Model], tuple[Rule, ...]] = MappingProxyType(
    {
        Contract: CONTRACT,
        ContractSpec: CONTRACT_SPEC,
        ContractStatus: CONTRACT_STATUS,
        Phase: PHASE,
        TaskRequirement: TASK_REQUIREMENT,
        Validator: VALIDATOR,
        ContractType: CONTRACT_TYPE,
        Supervisor: SUPERVISOR,
        SupervisorSettings: SUPERVISOR_SETTINGS,
        SupervisorSpec: SUPERVISOR_SETTINGS,
        SupervisorStatus: SUPERVISOR_STATUS,
    }
)


FIELD_RULES: Mapping[tuple[type[Model], str], tuple[Rule, ...]] = MappingProxyType(
    {
        (ContractSpec, "type"): SPEC_TYPE,
        (ContractSpec, "phases"): SPEC_PHASES,
        (ContractStatus, "state"): transition_rules(),
        (ContractStatus, "phases"): STATUS_PHASES,
        (ContractStatus, "version"): STATUS_VERSION,
        (ContractStatus, "recorded_version"): STATUS_RECORDED_VERSION,
        (SupervisorStatus, "incarnation"): SUPERVISOR_INCARNATION,
    }
)
"""Rules on one field, by its name in Python; one with `oldSelf` holds where both values are there."""


def rules_of(model: type[Model]) -> tuple[Rule, ...]:
    """Every rule on values of this model: those of the class itself first."""
    own: tuple[Rule, ...] = getattr(model, "__rules__", ())
    return own + RULES.get(model, ())


def rules_of_field(model: type[Model], name: str) -> tuple[Rule, ...]:
    """Every rule on the value of this field, beside those that the field itself is marked with."""
    return FIELD_RULES.get((model, name), ())
