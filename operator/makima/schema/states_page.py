"""docs/reference/states.md: the state table and its diagram, from `makima.domain.reconcile.states`."""

from __future__ import annotations

from makima.domain.reconcile.states import FINISHED, TRANSITIONS, legacy_status
from makima.models.enums import ContractState

HEAD = """\
# States of a contract

`status.state` moves along this table and no other way, whoever writes it: the API server refuses anything else with
`INVALID_TRANSITION`. `status.version` is raised by exactly 1 with every change of state, phase or deliverables.

| from | to | REST and Postgres | old clients see |
|---|---|---|---|
"""

NOTES = """
- A phase is left only from Created, Active, WaitingForInput or Blocked (or out of Paused), to the very next phase.
- Completing is reached from the last phase only, and with `spec.phaseGuard` only after a confirmation.
- Paused remembers where it came from in `status.pausedFrom`; where it goes is decided anew at resume.
- Failed goes back to Active by `spec.retry`, in the same phase.
"""


def states_page() -> str:
    """The page as Markdown."""
    rows = "".join(_row(state) for state in ContractState)
    return f"{HEAD}{rows}{NOTES}\n{_diagram()}"


def _following(state: ContractState) -> list[ContractState]:
    return [new for new in ContractState if new in TRANSITIONS[state]]


def _row(state: ContractState) -> str:
    following = ", ".join(_following(state)) or "nothing (only deletion)"
    return f"| {state} | {following} | `{state.snake}` | `{legacy_status(state).snake}` |\n"


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> Created"]
    lines += [f"    {old} --> {new}" for old in ContractState for new in _following(old)]
    lines += [f"    {state} --> [*]" for state in ContractState if state in FINISHED]
    return "\n".join([*lines, "```"]) + "\n"
