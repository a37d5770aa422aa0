"""The built-in contract types (design, "ContractType"). Their names are reserved."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from makima.models.enums import TaskPolicy
from makima.models.gate import Deliverable, Gate, Phase, TaskRequirement

GATE = Gate(required_tasks=TaskRequirement(policy=TaskPolicy.ALL_COMPLETE), auto_advance=True)
"""All Required deliverables, all tasks complete, moves by itself."""


def _phase(name: str, deliverable: str) -> Phase:
    shown = deliverable.replace("-", " ").capitalize()
    return Phase(name=name, deliverables=(Deliverable(id=deliverable, name=shown),), gate=GATE)


_RESEARCH = _phase("research", "research-notes")
_SPECIFY = _phase("specify", "requirements-document")
_PLAN = _phase("plan", "plan-document")
_EXECUTE = _phase("execute", "pull-request")
_REVIEW = _phase("review", "release-notes")

BUILTIN_TYPES: Mapping[str, tuple[Phase, ...]] = MappingProxyType(
    {
        "simple": (_PLAN, _EXECUTE),
        "specification": (_RESEARCH, _SPECIFY, _PLAN, _EXECUTE, _REVIEW),
        "execute": (_EXECUTE,),
    }
)
