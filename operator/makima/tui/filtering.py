"""The filter of the list: words, `ns:`, `state:`, `phase:`, `waiting`, `stale`, and `!` before any of them for "not".

All parts have to hold; a part with commas (`state:failed,blocked`) holds if one of its values does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from makima.tui.attention import Need
from makima.tui.rows import Row

Test = Callable[[Row], bool]

FIELDS = "ns:, state:, phase:, type:"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are shown.

    Attributes:
        text: what the person wrote.
        tests: all of them must hold.
        problem: what is wrong with the text, and what to write instead; "" if nothing is.
    """

    text: str = ""
    tests: tuple[Test, ...] = ()
    problem: str = ""

    def __call__(self, row: Row) -> bool:
        """Whether this row is shown."""
        return all(test(row) for test in self.tests)


def parse_filter(text: str) -> Filter:
    """Read what a person wrote; never fails: what is not understood is named in `problem` and left out."""
    tests, problems = [], []
    for part in text.lower().split():
        bare = part.removeprefix("!")
        if not bare:
            continue
        test, problem = _part(bare)
        if problem:
            problems.append(problem)
        elif part is bare or part == bare:
            tests.append(test)
        else:
            tests.append(_negated(test))
    return Filter(text, tuple(tests), "; ".join(problems))


def _part(part: str) -> tuple[Test, str]:
    field, colon, value = part.partition(":")
    if not colon:
        return WORDS.get(part) or _word(part), ""
    values = tuple(item for item in value.split(",") if item)
    known = KEYS.get(field)
    if known is None:
        return _word(part), f"{field}: is not known; use {FIELDS} or plain words"
    if not values:
        return _anything, ""  # still being typed
    return known(values), ""


def _word(word: str) -> Test:
    return lambda row: word in row.words


def _negated(test: Test) -> Test:
    return lambda row: not test(row)


def _anything(_: Row) -> bool:
    return True


def _by_namespace(values: tuple[str, ...]) -> Test:
    return lambda row: row.namespace.startswith(values)


def _by_phase(values: tuple[str, ...]) -> Test:
    return lambda row: row.phase.startswith(values)


def _by_type(values: tuple[str, ...]) -> Test:
    return lambda row: row.type.startswith(values)


def _by_state(values: tuple[str, ...]) -> Test:
    """The beginning of a state in either spelling."""
    wanted = tuple(value.replace("_", "").replace("-", "") for value in values)
    return lambda row: (row.state.value.lower() if row.state else "notaccepted").startswith(wanted)


def _by_status(values: tuple[str, ...]) -> Test:
    """A state, whole, in either spelling: what `--status` takes, and means in `list` and the streams as well."""
    return lambda row: row.state is not None and (row.state.snake in values or row.state.value.lower() in values)


KEYS: dict[str, Callable[[tuple[str, ...]], Test]] = {
    "ns": _by_namespace,
    "namespace": _by_namespace,
    "state": _by_state,
    "status": _by_status,
    "phase": _by_phase,
    "type": _by_type,
}

WORDS: dict[str, Test] = {
    "waiting": lambda row: row.need is Need.PERSON,
    "stale": lambda row: row.stale,
    "trouble": lambda row: row.need is Need.TROUBLE,
    "failed": lambda row: row.state is not None and row.state.value == "Failed",
    "done": lambda row: row.need is Need.DONE,
}
"""Words that stand for a condition rather than for themselves."""
