"""Who started the monitor: how the commands that it shows are called, and what to do about an error."""

from __future__ import annotations

import shlex
from typing import Protocol

from makima.errors import MakimaError


class Caller(Protocol):
    """The command line that the monitor was started by."""

    def line(self, *words: str) -> str:
        """A command as it can be pasted, for the same cluster; `contracts` first stands for the program's name."""
        ...

    def hint(self, error: MakimaError, contract: str, /) -> str | None:
        """What to do about an error, which is about this contract (namespace/name); None where nothing is known."""
        ...


class Makima:
    """`makima contracts monitor` without options, as in the pictures."""

    def line(self, *words: str) -> str:
        """With the whole name of the program."""
        return shlex.join(("makima", *words) if words[0] == "contracts" else words)

    def hint(self, error: MakimaError, _: str, /) -> str | None:
        """What the error itself says."""
        return error.hint
