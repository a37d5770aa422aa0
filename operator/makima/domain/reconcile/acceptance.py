"""Created: whether a contract can be accepted, and the snapshot of its phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from makima.domain.reasons import ConditionReason
from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.domain.reconcile.phase_rules import phase_problems
from makima.models.contract import Contract
from makima.models.contract_type import ContractType
from makima.models.gate import Phase


@dataclass(frozen=True, slots=True)
class Accepted:
    """The contract runs through these phases, whatever becomes of its type."""

    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The contract can't run as it stands; it is looked at again when it or its type changes."""

    reason: ConditionReason
    message: str


def accept(contract: Contract, contract_type: ContractType | None) -> Accepted | Refused:
    """Whether the contract can be accepted.

    Args:
        contract: one without an accepted status.
        contract_type: the ContractType named by spec.type, if there is one; built-in names never need it.
    """
    phases = _phases(contract, contract_type)
    if phases is None:
        return Refused(ConditionReason.UNKNOWN_TYPE, _unknown_type(contract))
    problems = phase_problems(phases)
    if problems:
        return Refused(ConditionReason.INVALID_PHASES, _joined(problems))
    return Accepted(tuple(phases))


def _phases(contract: Contract, contract_type: ContractType | None) -> Sequence[Phase] | None:
    if contract.spec.phases is not None:
        return contract.spec.phases
    builtin = BUILTIN_TYPES.get(contract.spec.type)
    if builtin is not None:
        return builtin
    return contract_type.spec.phases if contract_type is not None else None


def _unknown_type(contract: Contract) -> str:
    builtin = ", ".join(BUILTIN_TYPES)
    return (
        f"VALIDATION_FAILED: type {contract.spec.type} is neither built in ({builtin}) nor a ContractType in namespace "
        f"{contract.metadata.namespace}; create that ContractType, or delete this contract and name another type"
    )


def _joined(problems: Sequence[str]) -> str:
    shown = "; ".join(problems[:5])
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return f"VALIDATION_FAILED: {shown}{more}"[:1024]
