"""What each socket of the load generator sends, and what has to come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

from bench.beats.fleet import STRAYS, Template, batch, contract_id, entry, request
from bench.beats.sockets import BATCH_PATH


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent.

    Attributes:
        kind: single, batch or stream.
        tokens: of accounts that may; `foreign` of one that may not.
        sequence: the first; later parts of the run begin above it.
        warm_up: seconds that do not count for rate and latency; their heartbeats are counted like all others.
    """

    kind: str
    port: int
    tokens: list[str]
    foreign: str
    supervisors: int
    sockets: int
    size: int
    sequence: int
    seconds: float
    warm_up: float


@dataclass(slots=True)
class Exchange:
    """One thing to send, and what has to come back.

    Attributes:
        stray: the code with which everything in it is refused; None: it is stored, but for `old` entries.
    """

    template: Template
    good: int
    stray: str | None = None
    old: int = 0


def exchanges(plan: Plan, lane: int) -> Iterator[Exchange]:
    """What this socket sends, for ever."""
    mine = range(lane, plan.supervisors, plan.sockets)
    host = f"127.0.0.1:{plan.port}"
    token = plan.tokens[lane % len(plan.tokens)]
    turn = lane * STRAYS // plan.sockets  # the sockets do not send their strays all at once
    if plan.kind == "single":
        return _singles(plan, mine, host, token, turn)
    if plan.kind == "stream":
        return _batches(plan, mine, lambda body, _stray: body, turn)

    def wrap(body: bytes, stray: bool) -> bytes:
        return request(host, BATCH_PATH, plan.foreign if stray else token, body)

    return _batches(plan, mine, wrap, turn)


def _singles(plan: Plan, mine: range, host: str, token: str, turn: int) -> Iterator[Exchange]:
    def made(number: int, who: str, **how: bool) -> Template:
        path = f"/api/v1/contracts/{contract_id(number)}/supervisor/heartbeat"
        return Template(request(host, path, who, entry(number, **how)))

    good = [Exchange(made(number, token), 1) for number in mine]
    old = cycle([Exchange(made(number, token, old=True), 0, "SUPERSEDED") for number in mine[:50]])
    foreign = cycle([Exchange(made(number, plan.foreign, stray=True), 0, "FORBIDDEN") for number in mine[:50]])
    for place, exchange in enumerate(cycle(good), turn):
        yield exchange
        if place % STRAYS == STRAYS // 2:
            yield next(old)
        elif place % STRAYS == 0:
            yield next(foreign)


def _batches(plan: Plan, mine: range, wrap: Callable[[bytes, bool], bytes], turn: int) -> Iterator[Exchange]:
    """One entry of each batch is of an old life; one batch in STRAYS comes with a foreign token."""
    frames = plan.kind == "stream"
    good = []
    for start in range(0, len(mine) - plan.size + 2, plan.size - 1):
        some = mine[start : start + plan.size - 1]
        entries = [entry(number) for number in some]
        entries.insert(start % plan.size, entry(some[0], old=True))
        good.append(Exchange(Template(wrap(batch(entries, frame=frames), False)), len(some), old=1))
    strays = batch([entry(number, stray=True) for number in mine[: plan.size]])
    foreign = Exchange(Template(wrap(strays, True)), plan.size, "FORBIDDEN")
    for place, exchange in enumerate(cycle(good), turn):
        yield exchange
        if place % STRAYS == 1 and not frames:
            yield foreign


def foreign_frame(plan: Plan) -> Exchange:
    """A frame for a stream whose token may not send it."""
    strays = [entry(number, stray=True) for number in range(plan.size)]
    return Exchange(Template(batch(strays, frame=True)), plan.size, "FORBIDDEN")
