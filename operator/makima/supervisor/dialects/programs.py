"""Which agent programs are understood, and what has to be known of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from makima.errors import MakimaError
from makima.supervisor.dialects import claude, codex, opencode, plain
from makima.supervisor.dialects.events import Events

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Program:
    """A program that prints its work as lines.

    Attributes:
        parse: events of a line; () nothing that matters; None: not a line of this program.
        subcommand: the word after which its arguments come.
        needs: options without which it does not print these lines.
        options_with_value: options whose next word is their value.
        resume: what stands before a conversation's id to continue it; () = it has no conversations.
        says_when_done: whether a turn that ended well always says so in a line.
    """

    name: str
    parse: Callable[[bytes], Events | None]
    subcommand: str | None = None
    needs: tuple[str, ...] = ()
    options_with_value: frozenset[str] = frozenset()
    resume: tuple[str, ...] = ()
    says_when_done: bool = True

    def prints_lines(self, command: Sequence[str]) -> bool:
        """Whether this command is this program, asked to print lines."""
        return PurePath(command[0]).name.split(".")[0] == self.name and not self.missing(command)

    def missing(self, command: Sequence[str]) -> tuple[str, ...]:
        """Words that the command lacks."""
        words = {part for word in command[1:] for part in (word, *word.split("=", 1))}
        wanted = (self.subcommand, *self.needs) if self.subcommand else self.needs
        return tuple(word for word in wanted if word not in words)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CLAUDE = Program(
    "claude",
    claude.parse,
    needs=("--output-format", "stream-json", "--verbose"),
    options_with_value=_words(
        "--output-format --input-format --model --fallback-model --allowedTools --allowed-tools --disallowedTools "
        "--disallowed-tools --mcp-config --permission-mode --permission-prompt-tool --append-system-prompt "
        "--system-prompt --session-id --max-turns --add-dir --settings --setting-sources --agents --resume -r"
    ),
    resume=("--resume",),
)
CODEX = Program(
    "codex",
    codex.parse,
    subcommand="exec",
    needs=("--json",),
    options_with_value=_words(
        "-m --model -c --config -C --cd -s --sandbox -p --profile -i --image -o --output-last-message --output- "
        "schema --color --add-dir --enable --disable --local-provider"
    ),
    resume=("resume",),
)
OPENCODE = Program(
    "opencode",
    opencode.parse,
    subcommand="run",
    needs=("--format", "json"),
    options_with_value=_words(
        "--format -m --model --agent --title -s --session -f --file --port --attach --variant --command --dir "
        "--log-level"
    ),
    resume=("--session",),
)
LINES = Program("lines", plain.parse, says_when_done=False)

PROGRAMS = {program.name: program for program in (CLAUDE, CODEX, OPENCODE, LINES)}


def program_of(command: Sequence[str], dialect: str = AUTO) -> Program:
    """The program that this command is; in doubt, one whose lines are plain text.

    Raises:
        MakimaError: there is no such dialect, or the command does not make the program print what is to be read.
    """
    if dialect == AUTO:
        return next((program for program in PROGRAMS.values() if program.prints_lines(command)), LINES)
    if dialect not in PROGRAMS:
        raise MakimaError(f"there is no dialect {dialect!r}", hint=f"one of {AUTO}, {', '.join(PROGRAMS)}")
    program = PROGRAMS[dialect]
    if missing := program.missing(command):
        raise MakimaError(
            f"{dialect} would not print lines that can be read: its command lacks {' '.join(missing)}",
            hint="add that to the command, or use --dialect lines",
        )
    return program
