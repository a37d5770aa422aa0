"""Who moves a guarded contract on: the API server refuses whoever may not confirm.

Dana's attempt is a raw patch, to show that no command line stands between her and the rule. Ravi uses makima's, here as
a plugin of kubectl.
"""

from __future__ import annotations

import json
from typing import Any

from narration import DemoError, step, wait
from people import CONTRACT, Person

TRIES = 5
CHANGED_MEANWHILE = 5
"""Exit code of `kubectl contracts`: the contract is another one by now (docs/reference/cli.md)."""


def confirm_next(ravi: Person) -> None:
    """Confirm the move that the contract waits for, and wait for it; again where the contract changed meanwhile.

    Raises:
        DemoError: it did not move.
    """
    for _ in range(TRIES):
        wait_for_confirmation(ravi)
        seen = str(ravi.status()["version"])
        done = ravi.contracts("confirm", CONTRACT, "--expected-version", seen)
        if done.returncode != CHANGED_MEANWHILE:
            break
    if done.returncode:
        raise DemoError(f"the contract does not move on from {ravi.status()['phase']}")


def refuse_dana(dana: Person) -> None:
    """Dana, who may edit the contract, tries to confirm."""
    wait_for_confirmation(dana)
    dana.contracts("inbox")
    step("Dana may edit, but not confirm: the API server refuses")
    dana.kubectl(*_confirmation(dana.status()))


def carry_to_the_end(ravi: Person) -> None:
    """Confirm each guarded move until the contract is Completed."""
    while ravi.status()["state"] not in ("Completing", "Completed"):
        confirm_next(ravi)
    wait("the contract to be Completed", lambda: ravi.status()["state"] == "Completed")


def wait_for_confirmation(person: Person, contract: str = CONTRACT) -> None:
    """Until the phase is done, and nothing is missing but a person's word."""

    def ready() -> bool:
        return str(person.status(name=contract).get("waitingFor", "")).startswith("confirm")

    wait("a phase to be ready for confirmation", ready)


def _confirmation(status: dict[str, Any]) -> tuple[str, ...]:
    names = [phase["name"] for phase in status["phases"]]
    goal = [*names, "Completed"][names.index(status["phase"]) + 1]
    advance = {"to": goal, "expectedVersion": status["version"], "confirmed": True}
    return ("patch", "contract", CONTRACT, "--type=merge", "-p", json.dumps({"spec": {"advance": advance}}))
