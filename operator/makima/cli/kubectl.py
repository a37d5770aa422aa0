"""`kubectl contracts …`, and its completion: kubectl finds both by the names of their programs.

kubectl runs `kubectl-contracts` for `kubectl contracts`, and `kubectl_complete-contracts` with the words so far to
complete them; that one answers with a name a line, and last with a directive of cobra's.
"""

from __future__ import annotations

import sys
from contextlib import suppress

FILE_NAMES, FOLDER_NAMES, NO_FILE_NAMES = ":0", ":16", ":4"
"""What the shell adds by itself."""

BY_SHELL = {"file": FILE_NAMES, "dir": FOLDER_NAMES}


def contracts() -> None:
    """The plugin."""
    from makima.cli.contracts import group
    from makima.cli.contracts.persona import KUBECTL
    from makima.cli.main import run

    sys.exit(run(sys.argv[1:], group(KUBECTL), KUBECTL))


def complete() -> None:
    """Its completion; whatever fails, fails in silence."""
    lines = [NO_FILE_NAMES]
    with suppress(Exception):  # somebody pressed Tab: no trace helps them
        lines = completions(sys.argv[1:])
    print(*lines, sep="\n")


def completions(words: list[str]) -> list[str]:
    """What may stand in place of the last word, and the directive."""
    from click.shell_completion import ShellComplete

    from makima.cli.contracts import group
    from makima.cli.contracts.persona import KUBECTL

    before, last = words[:-1], words[-1] if words else ""
    found = ShellComplete(group(KUBECTL), {}, KUBECTL, "_KUBECTL_CONTRACTS_COMPLETE").get_completions(before, last)
    names = [item for item in found if item.type not in BY_SHELL]
    directive = next((BY_SHELL[item.type] for item in found if item.type in BY_SHELL), NO_FILE_NAMES)
    return [*(f"{item.value}\t{item.help}" if item.help else str(item.value) for item in names), directive]
