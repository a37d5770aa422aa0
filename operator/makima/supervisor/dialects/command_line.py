"""How a program is started, and started again to go on with its conversation.

The prompt of the command is its last argument that is no option, no option's value and no subcommand; where `makima
supervise` was given the prompt, the command has none and it is put at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from makima.supervisor.dialects.programs import Program


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command without its prompt, and the prompt.

    Attributes:
        prompt: None: the command has none that could be replaced.
    """

    arguments: tuple[str, ...]
    prompt: str | None

    def start(self, prompt: str | None = None) -> tuple[str, ...]:
        """A new conversation, with this prompt instead of the command's own."""
        said = self.prompt if prompt is None else prompt
        return self.arguments if said is None else (*self.arguments, said)

    def go_on(self, program: Program, conversation: str, prompt: str) -> tuple[str, ...]:
        """The same conversation, with one more prompt."""
        return (*self.arguments, *program.resume, conversation, prompt)


def command_line(program: Program, command: Sequence[str], prompt: str | None = None) -> CommandLine:
    """Take the command apart."""
    whole = CommandLine(tuple(command), prompt)
    if prompt is not None or not program.resume:
        return whole
    place = _prompt_at(program, command)
    if place is None:
        return whole
    return replace(whole, arguments=(*command[:place], *command[place + 1 :]), prompt=command[place])


def _prompt_at(program: Program, command: Sequence[str]) -> int | None:
    found: int | None = None
    value_follows = False
    subcommand = program.subcommand
    for place, word in enumerate(command[1:], start=1):
        if value_follows:
            value_follows = False
        elif word.startswith("-") and len(word) > 1:
            value_follows = word in program.options_with_value
        elif word == subcommand:
            subcommand = None
        else:
            found = place
    return found
