"""`makima contracts …` and `kubectl contracts …`: what people do with contracts. Each command is a module of its own.

A command's module is imported when it is called, and what is heavy when it is used: `--help` takes under 0.3 s.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from makima.cli.contracts.call import PERSONA
from makima.cli.contracts.not_here import refusing
from makima.cli.contracts.persona import MAKIMA, Persona, for_persona
from makima.cli.tabled import Tabled

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("listing", "List contracts, with filters."),
    "show": ("show", "Show one contract as a tree, and what it waits for."),
    "inbox": ("inbox", "List everything that waits for a person, oldest first."),
    "health": ("health", "Say whether contracts are well, and why not."),
    "create": ("create", "Create a contract."),
    "answer": ("answer", "Answer a question."),
    "confirm": ("confirm", "Confirm the move that a phase guard holds."),
    "advance": ("advance", "Move a contract to its next phase."),
    "complete-deliverable": ("deliver", "Report a deliverable as complete."),
    "pause": ("pause", "Pause a contract."),
    "resume": ("resume", "Take a pause back."),
    "retry": ("retry", "Take a failed contract up again."),
    "restart-supervisor": ("restart", "End the current life of a supervisor; the next is restored."),
    "logs": ("logs", "Show the log of a supervisor, or what it said."),
    "monitor": ("monitor", "Follow what happens, live."),
    "history": ("history", "Show what happened to a contract, also to one that is gone."),
    "export": ("export", "Write everything about a contract into one document."),
    "cleanup": ("cleanup", "Archive, delete and clear up what is old."),
    "batch": ("batch", "Run a bulk operation of makima's API."),
}
"""Command → module, and the line shown in the list of commands (so that it imports none of them).

In the order in which people need them.
"""

EPILOG = "Exit codes: 0 done, 2 usage, 3 not found, 4 forbidden, 5 conflict, 6 timed out, 7 unhealthy, 8 waits for a \
person, 9 refused, 10 unavailable, 1 anything else."


class Contracts(Tabled):
    """The group; imports a command's module when the command is called."""

    table = COMMANDS

    def __init__(self, persona: Persona, **more: Any) -> None:
        super().__init__(**more)
        self.persona = persona

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, with the option names of this persona, and with a word on those that it has no use for."""
        ctx.meta[PERSONA] = self.persona
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"makima.cli.contracts.{COMMANDS[cmd_name][0]}").command
        adapted = for_persona(found, self.persona)
        adapted.params += refusing(adapted)
        return adapted


def group(program: str = MAKIMA) -> Contracts:
    """The commands, as this program."""
    return Contracts(
        Persona(program),
        name="contracts",
        help="Contracts: what there is, what waits for whom, and what to do about it.",
        epilog=EPILOG,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


app = group()
