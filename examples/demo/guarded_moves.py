"""Who moves a guarded contract on: the API server refuses whoever may not confirm."""

from __future__ import annotations

import json
from typing import Any

from narration import DemoError, step, wait
from people import Person

TRIES = 5


def confirm_next(ravi: Person) -> None:
    """Confirm the move that the contract waits for, and wait for it; again where the contract changed meanwhile.

    Raises:
        DemoError: it did not move.
    """
    wait_for_confirmation(ravi)
    before = now = ravi.status()
    for _ in range(TRIES):
        ravi.kubectl(*_confirmation(now))
        seen = now["version"]
        wait("the contract to change", lambda seen=seen: ravi.status()["version"] != seen)
        now = ravi.status()
        if _place(now) != _place(before):
            return
    raise DemoError(f"the contract does not move on from {before['phase']}")


def refuse_dana(dana: Person) -> None:
    """Dana, who may edit the contract, tries to confirm."""
    wait_for_confirmation(dana)
    dana.kubectl("get", "contracts")
    step("Dana may edit, but not confirm: the API server refuses")
    dana.kubectl(*_confirmation(dana.status()))


def carry_to_the_end(ravi: Person) -> None:
    """Confirm each guarded move until the contract is Completed."""
    while ravi.status()["state"] not in ("Completing", "Completed"):
        confirm_next(ravi)
    wait("the contract to be Completed", lambda: ravi.status()["state"] == "Completed")


def wait_for_confirmation(person: Person) -> None:
    """Until the phase is done, and nothing is missing but a person's word."""
    wait("a phase to be ready for confirmation", lambda: person.status().get("waitingFor", "").startswith("confirm"))


def _confirmation(status: dict[str, Any]) -> tuple[str, ...]:
    names = [phase["name"] for phase in status["phases"]]
    goal = [*names, "Completed"][names.index(status["phase"]) + 1]
    advance = {"to": goal, "expectedVersion": status["version"], "confirmed": True}
    return ("patch", "contract", "release-notes", "--type=merge", "-p", json.dumps({"spec": {"advance": advance}}))


def _place(status: dict[str, Any]) -> tuple[object, bool]:
    return status["phase"], status["state"] in ("Completing", "Completed")
