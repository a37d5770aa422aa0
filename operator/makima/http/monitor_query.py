"""The filter as query parameters: what Server-Sent Events have instead of messages; WebSockets may use it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Scope

from makima.http.bodies import header
from makima.models.wire.monitor import MonitorFilter
from makima.models.wire.problem import Code
from makima.services.refusals import refusal

LISTS = {"contract_id": "contract_ids", "status": "statuses", "namespace": "namespaces"}
SWITCHES = ("include_stale", "include_heartbeats", "watch")
NAMES = (*LISTS, *SWITCHES, "after")
WORDS = {"true": True, "1": True, "false": False, "0": False}

PARAMETERS = 1000
STREAM_TYPES = ("text/event-stream", "text/*", "*/*")


@dataclass(frozen=True, slots=True)
class Query:
    """What the address says.

    Attributes:
        says_something: whether it has a filter or a place to begin.
        watch: Kubernetes' word for a stream.
    """

    filter: MonitorFilter
    says_something: bool
    watch: bool


def parse_query(scope: Scope) -> Query:
    """The query of a request.

    Raises:
        Refused: VALIDATION_FAILED, an unknown name or a value that is none.
        ValidationError: the same, by the model.
    """
    fields: dict[str, Any] = {}
    for name, value in _pairs(scope):
        if name in LISTS:
            fields.setdefault(LISTS[name], []).append(value)
        elif name in SWITCHES:
            fields[name] = _switch(name, value)
        elif name == "after":
            fields[name] = _number(name, value)
        else:
            known = ", ".join(NAMES)
            raise refusal(
                Code.VALIDATION_FAILED, f"{name[:64]}: no such parameter", field=name[:64], hint=f"there are {known}"
            )
    watch = fields.pop("watch", False)
    last = header(scope, b"last-event-id")
    if last:  # a browser that comes back sends the same address again, and where it was
        fields["after"] = _number("Last-Event-ID", last.decode("latin-1"))
    return Query(MonitorFilter.model_validate(fields), bool(fields), watch)


def accepts_stream(scope: Scope) -> bool:
    """Whether the caller takes Server-Sent Events; whoever says nothing takes anything."""
    accept = header(scope, b"accept")
    if accept is None:
        return True
    return any(part.split(";")[0].strip().lower() in STREAM_TYPES for part in accept.decode("latin-1").split(","))


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            scope["query_string"].decode("ascii"), keep_blank_values=True, max_num_fields=PARAMETERS, errors="strict"
        )
    except ValueError:
        raise refusal(
            Code.VALIDATION_FAILED, "the query can't be read", hint=f"at most {PARAMETERS} parameters, in UTF-8"
        ) from None


def _switch(name: str, value: str) -> bool:
    if value.lower() not in WORDS:
        raise refusal(Code.VALIDATION_FAILED, f"{name}: {value[:32]!r} is neither true nor false", field=name)
    return WORDS[value.lower()]


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 16):
        raise refusal(
            Code.VALIDATION_FAILED,
            f"{name}: {value[:32]!r} is no sequence number",
            field=name,
            hint="give the seq of the last event that came",
        )
    return int(value)
