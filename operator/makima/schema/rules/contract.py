"""Which contracts the API server takes, and what may become of them: spec, status, and the state table."""

from __future__ import annotations

from makima.domain.reconcile.states import TRANSITIONS
from makima.models.enums import ContractState
from makima.models.markers import Rule
from makima.schema.rules.cel import cel_list, cel_string, short_name
from makima.schema.rules.contract_type import PHASES


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


CONTRACT = (
    short_name("contract"),
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
    *PHASES,
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
