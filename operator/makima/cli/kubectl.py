"""`kubectl contracts …`, and its completion: kubectl finds both by the names of their programs.

kubectl runs `kubectl-contracts` for `kubectl contracts`, and `kubectl_complete-contracts` with the words so far to
complete them; that one answers with a name a line, and last the directive of cobra, here 4 (no file names).
"""

from __future__ import annotations

import sys
from contextlib import suppress

NO_FILE_NAMES = ":4"


def contracts() -> None:
    """The plugin."""
    from makima.cli.contracts import group
    from makima.cli.contracts.persona import KUBECTL
    from makima.cli.main import run

    sys.exit(run(sys.argv[1:], group(KUBECTL), KUBECTL))


def complete() -> None:
    """Its completion; whatever fails, fails in silence."""
    with suppress(Exception):  # somebody pressed Tab: no trace helps them
        for line in completions(sys.argv[1:]):
            print(line)
    print(NO_FILE_NAMES)


def completions(words: list[str]) -> list[str]:
    """What may stand in place of the last word."""
    from click.shell_completion import ShellComplete

    from makima.cli.contracts import group
    from makima.cli.contracts.persona import KUBECTL

    before, last = words[:-1], words[-1] if words else ""
    found = ShellComplete(group(KUBECTL), {}, KUBECTL, "_KUBECTL_CONTRACTS_COMPLETE").get_completions(before, last)
    return [f"{item.value}\t{item.help}" if item.help else str(item.value) for item in found]
