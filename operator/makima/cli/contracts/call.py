"""One call of a command: where it works, how long it may take, and how its errors end it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from makima.cli.contracts.command_lines import command_line, hint_line
from makima.cli.contracts.completion import contexts, namespaces
from makima.cli.contracts.exits import VALIDATION_FAILED, Exit, code_of, exit_of, is_against_the_schema, words_of
from makima.cli.contracts.next_steps import CONTRACT, FIELDS, NEXT
from makima.cli.contracts.persona import MAKIMA, Named, Persona
from makima.cli.contracts.text import Screen
from makima.errors import MakimaError

if TYPE_CHECKING:
    from makima.client import Person, Place

T = TypeVar("T")
Function = Callable[..., Any]


class Ended(MakimaError):
    """The command ends here: a message for people, an exit code for scripts."""

    def __init__(self, message: str, hint: str | None, exit_code: int) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


class DurationType(click.ParamType[timedelta]):
    """A duration as people write it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """From text."""
        if isinstance(value, timedelta):
            return value
        from makima.domain.durations import parse_duration

        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = DurationType()


@dataclass(frozen=True, slots=True)
class Call:
    """What every command has in common.

    Attributes:
        timeout: after which the command gives up, or stops to watch; None = as long as it takes.
        contract: that the command was given, as it was named; None = it is about none, or about many.
    """

    persona: Persona
    place: Place
    screen: Screen
    timeout: timedelta | None
    contract: str | None = None

    def run(self, work: Callable[[Person], Awaitable[T]], *, watching: bool = False) -> T | None:
        """Do it; None where a watch came to the end of its time.

        Raises:
            Ended: it failed, or took too long.
        """
        import asyncio

        try:
            return asyncio.run(self._limited(work))
        except TimeoutError:
            if watching:
                return None
            shown = self.timeout.total_seconds() if self.timeout is not None else 0
            text, hint = f"not done within {shown:g} s", "what was written stays; see how it stands: show"
            raise Ended(text, hint, Exit.TIMED_OUT) from None
        except Ended:
            raise
        except MakimaError as error:
            raise self.ended(error) from error

    async def _limited(self, work: Callable[[Person], Awaitable[T]]) -> T:
        import asyncio

        from makima.client import connect

        async with asyncio.timeout(self.timeout.total_seconds() if self.timeout is not None else None):
            async with connect(self.place) as person:
                return await work(person)

    def ended(self, error: MakimaError) -> Ended:
        """The error as the end of the command."""
        return Ended(words_of(error), self.hint(error), exit_of(error))

    def hint(self, error: MakimaError, contract: str | None = None) -> str | None:
        """What to do next: what the error itself says, else by its code.

        Args:
            contract: that it is about, where the command was not given one.
        """
        if error.hint:
            return hint_line(error.hint, self.persona.program, self.place)
        about = getattr(error, "contract", contract or self.contract)
        if is_against_the_schema(error) or (about is None and code_of(error) == VALIDATION_FAILED):
            return FIELDS  # it is about what was written, and of `create` there is no contract to be shown
        step = getattr(error, "next_step", None) or NEXT.get(code_of(error)) or NEXT.get(exit_of(error).name)
        return step.said(about or CONTRACT, self.line) if step is not None else None

    def line(self, *words: str) -> str:
        """A command line as it can be pasted, for the same cluster; `contracts` first stands for this program."""
        return command_line(words, self.persona.program, self.place)


def common(function: Function) -> Function:
    """Give a command the options that all have, and a `Call` in place of them."""

    @functools.wraps(function)
    def wrapped(**options: Any) -> Any:
        from makima.client import Place

        ctx = click.get_current_context()
        taken = {name: options.pop(name) for name in ("namespace", "context", "kubeconfig", "api", "token_file")}
        screen = Screen(color=False if options.pop("no_color") else None)
        persona = ctx.meta.get(PERSONA, Persona(MAKIMA))
        call = Call(persona, Place(**taken), screen, options.pop("timeout"), options.get("contract"))
        return function(call, **options)

    for option in reversed(OPTIONS):
        option(wrapped)
    return wrapped


PERSONA = "makima.persona"


def now() -> datetime:
    """The time by this machine's clock, for ages only."""
    return datetime.now(UTC)


def option(*names: str, **more: Any) -> Function:
    """An option that may have further names (`makima=`, `kubectl=`)."""
    return click.option(*names, cls=Named, **more)


OPTIONS = (
    option("--namespace", kubectl=("-n",), help="Namespace. Default: that of the context.", shell_complete=namespaces),
    click.option("--context", help="Context of the kubeconfig. Default: the current one.", shell_complete=contexts),
    click.option("--kubeconfig", type=click.Path(path_type=Path), help="kubeconfig file. Default: KUBECONFIG."),
    click.option("--api", metavar="URL", help="makima's API. Default: MAKIMA_API_URL, else through the cluster."),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help="Bearer token for --api. Default: MAKIMA_TOKEN_FILE, MAKIMA_TOKEN, else that of the kubeconfig.",
    ),
    click.option("--timeout", type=DURATION, help="Give up after this time; with --watch: stop watching. Like 30s."),
    click.option("--no-color", is_flag=True, help="No colours; so does the variable NO_COLOR, and a pipe."),
)
