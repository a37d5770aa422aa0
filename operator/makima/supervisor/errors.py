"""What a supervisor's calls can end with, besides `makima.errors.Superseded`."""

from __future__ import annotations

from makima.errors import MakimaError
from makima.models.wire.problem import Code, Problem


class Unreachable(MakimaError):
    """No answer within the deadline; nothing is known about the call. Making it again is safe: it repeats nothing."""


class Refused(MakimaError):
    """The API service said no, and would say no again.

    Attributes:
        problem: what it said.
    """

    def __init__(self, problem: Problem) -> None:
        named = f"{problem.code}: {problem.message}"
        super().__init__(named if problem.field is None else f"{named} (field {problem.field})", problem.hint)
        self.problem = problem

    @property
    def code(self) -> Code:
        """The error's code."""
        return self.problem.code


class NotConfigured(MakimaError):
    """It is not said which contract, or where the API is."""
