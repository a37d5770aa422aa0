"""What `make demo KEEP=1` leaves: a second contract under way, and commands to follow by hand with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from guarded_moves import wait_for_confirmation
from narration import console, plain, step, wait
from people import CONTRACT, NAMESPACE, Person
from processes import EXAMPLE, Background, start_supervisor

from makima.sandbox import Sandbox

MINE = "try-it"


def give_the_reader_a_contract(dana: Person, api: str, scratch: Path) -> Background:
    """A contract like the first, at its first phase guard; its supervisor goes on, and is given back."""
    step("A second contract, for you: it has come to its first phase guard")
    manifest = scratch / "try-it.yaml"
    manifest.write_text((EXAMPLE / "contract.yaml").read_text().replace(f"name: {CONTRACT}", f"name: {MINE}"))
    dana.kubectl("apply", "-f", str(manifest))
    wait("the contract to be accepted", lambda: dana.status(name=MINE).get("state"))
    supervisor = start_supervisor(MINE, 1, api, scratch)
    wait_for_confirmation(dana, MINE)
    return supervisor


def show_tour(sandbox: Sandbox, scratch: Path, left: Sequence[Background]) -> None:
    """Commands that do what stands beside them, in this order, and how to end everything."""
    step("Now you, as administrator (in another terminal, or this one)")
    for line in tour(sandbox.name, scratch):
        plain(line)
    pids = " ".join(str(process.pid) for process in left)
    console.print(f"\nEnd it: kill {pids}; .venv/bin/makima sandbox down --name {sandbox.name}", markup=False)


def tour(sandbox: str, scratch: Path) -> list[str]:
    """The commands, one a line, each with what it shows."""
    export = scratch / f"{CONTRACT}.json"
    lines = [
        (f'eval "$(.venv/bin/makima sandbox env --name {sandbox})"; export PATH="$PWD/.venv/bin:$PATH"', "once"),
        ("kubectl contracts list -A", "what there is"),
        ("kubectl contracts inbox", "what waits for you, and the command that ends it: a confirmation"),
        (f"kubectl contracts confirm {MINE} -n {NAMESPACE}", "looks at the deliverables with you, and confirms"),
        (f"kubectl contracts inbox -n {NAMESPACE}", "a few seconds later: its supervisor asks"),
        (f"kubectl contracts answer {MINE} 'newest first' -n {NAMESPACE}", "the supervisor goes on"),
        (f"kubectl contracts show {MINE} -n {NAMESPACE}", "phases, deliverables, supervisor; what it waits for"),
        (f"kubectl contracts monitor -n {NAMESPACE}", "the terminal UI: Enter opens, ? helps, q ends"),
        (f"kubectl contracts export {CONTRACT} -n {NAMESPACE} --file {export}", "everything about it, in one file"),
        (
            f"kubectl contracts batch archive_old --older-than 0h -n {NAMESPACE} --dry-run",
            "which contracts that would archive",
        ),
        (
            f"kubectl contracts batch archive_old --older-than 0h -n {NAMESPACE}",
            "asks, does it as you, has it recorded",
        ),
    ]
    return [f"  {command}\n      # {text}" for command, text in lines]
