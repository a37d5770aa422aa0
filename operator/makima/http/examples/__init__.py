"""Examples of every call, by operation: what is sent, and what is answered. Tests hold them against the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makima.http.examples.contracts import CONTRACT_CALLS
from makima.http.examples.errors import PROBLEMS
from makima.http.examples.overview import OVERVIEW_CALLS
from makima.http.examples.supervisors import SUPERVISOR_CALLS

__all__ = ["EXAMPLES", "PROBLEMS", "Example"]


@dataclass(frozen=True, slots=True)
class Example:
    """One call.

    Attributes:
        request: its body; None where it has none.
        response: the body of its answer.
    """

    request: Any
    response: Any


EXAMPLES: Mapping[str, Example] = {
    operation: Example(request, response)
    for operation, (request, response) in {**CONTRACT_CALLS, **OVERVIEW_CALLS, **SUPERVISOR_CALLS}.items()
}
