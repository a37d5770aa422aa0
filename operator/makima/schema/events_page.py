"""docs/reference/events.md: the live monitor's frames and filter, from the very models that make them."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic import BaseModel

from makima.models.wire.monitor import (
    CONTRACT_IDS,
    CONTROL,
    NAMESPACES,
    PLANNED,
    STATUSES,
    ContractFrame,
    HistoryFrame,
    MonitorFilter,
    StoredFrame,
)

HEAD = f"""\
# The live monitor

`/api/v1/contracts/monitor` says what happens to contracts, as it happens: over a WebSocket, or as Server-Sent Events
on the same path for whoever accepts `text/event-stream` (through the aggregated API with `watch=true`; without it,
the API server ends the stream after 60 s). Both carry the same frames, one JSON object each. Who may `watch`
contracts in a namespace gets what happens there; that is asked again every 30 s. With the flag `monitoring_dashboard`
off there is no such path.

```
curl -N -H "Authorization: Bearer $TOKEN" -H 'Accept: text/event-stream' \\
  'https://makima-api/api/v1/contracts/monitor?status=waiting_for_input&after=1042'
kubectl get --raw '/apis/monitor.makima.dev/v1alpha1/monitor?watch=true'
```

## What a client says

A WebSocket takes messages with this filter at any time; each takes the place of the one before. In the address, for
both ways to listen, the same is `contract_id`, `status`, `namespace` (each as often as need be), `include_stale`,
`include_heartbeats`, `after`. Namespaces in the address limit the connection for good. A client that says nothing
gets everything that it may see, but heartbeats, from a second after it connected on; nothing that happens in this
second is lost. At most {CONTRACT_IDS} contracts, {STATUSES} states and {NAMESPACES} namespaces.

"""

ORDER = """
A filter by status looks at the state that the contract was in when the event happened (`contract_status`); a change
of state passes if either side of it is wanted; what nobody knows the state of passes. So a client that comes back
later gets exactly what it would have got. Off `enhanced_contract_status`, states in filters and frames are the three
old ones.

## Nothing lost, nothing twice

`seq` rises in the order in which events were committed, over all contracts and all replicas: with `after` set to the
last `seq` that came (Server-Sent Events: `Last-Event-ID`, which browsers send by themselves), the stream goes on
exactly there, at any replica, however long ago that was. An `after` beyond the end of the stream is refused: it is
from another database.

A client that reads too slowly keeps nobody up. At most 1,000 frames and 1 MiB wait for it; then it is told by
`Missed` which numbers it did not get, and can ask for them with `after`. Nobody waits for a client that is reading
what it missed, either.

A Heartbeat has no number and does not come again. Those that reached the replica that one is connected to come within
a quarter of a second; those of other replicas as their rows are written: at once where the state changes, else within
about 11 s.

"""

CLOSING = """
## How a stream ends

The last frame is the usual error envelope (`{"error": {"code", "message", "hint", "details"}}`); then the WebSocket
is closed:

| code | when | what to do |
|---|---|---|
| 1001, 1012 | this process ends | connect again, `after` the last `seq` |
| 1008 | no right to watch any more; 16 messages in a row could not be taken; nothing was read for a minute | mend it |
| 1009 | a message was longer than 64 KiB | shorten the filter |
| 1011 | an error that nobody foresaw, or no answer to a ping | connect again, `after` the last `seq` |
| 1013 | Postgres or the API server can't be used | connect again later, `after` the last `seq` |

A message that can't be taken is answered by the envelope; the filter before it holds on. Before the stream opens,
refusals are answers of HTTP: 400 `VALIDATION_FAILED`, 401 `UNAUTHENTICATED`, 403 `FORBIDDEN` (no right, or an
`Origin` that is neither the API's own nor in `allowed_origins`; without `Origin` no browser asks), 503 `UNAVAILABLE`
(`monitor_clients` are connected, or Postgres is away).
"""

TABLE = "| field | type | meaning |\n|---|---|---|\n"


def events_page() -> str:
    """The page as Markdown."""
    parts = [HEAD, _table(MonitorFilter, frozenset()), ORDER, "## Events\n\nEvery event has these fields:\n\n"]
    parts.append(_table(StoredFrame, frozenset()))
    known = frozenset(StoredFrame.model_fields)
    parts += [_section(model, known) for model in PLANNED]
    parts += [_section(HistoryFrame, known, "ContractCreated, ContractDeleted, …")]
    parts.append("\n## Frames about the stream itself\n")
    parts += [_section(model, frozenset(("type",))) for model in CONTROL]
    return "".join((*parts, CLOSING))


def _section(model: type[BaseModel], known: frozenset[str], title: str = "") -> str:
    name = title or str(model.model_fields["type"].default)
    text = inspect.cleandoc(model.__doc__ or "").replace("\n", " ")
    own = set(model.model_fields) - known
    note = "" if issubclass(model, StoredFrame) or not issubclass(model, ContractFrame) else " It has no `seq`."
    return f"\n### {name}\n\n{text}{note}\n" + (f"\n{_table(model, known)}" if own else "")


def _table(model: type[BaseModel], known: frozenset[str]) -> str:
    schema = model.model_json_schema(mode="serialization")
    rows = [(name, field) for name, field in schema["properties"].items() if name not in known]
    required = set(schema.get("required", ())) | {"type"}
    return TABLE + "".join(_row(name, field, model, must=name in required) for name, field in rows)


def _row(name: str, field: dict[str, Any], model: type[BaseModel], *, must: bool) -> str:
    meaning = field.get("description", "")
    default = model.model_fields[name].default
    if not must and isinstance(default, bool):
        meaning += f" Default: {str(default).lower()}."
    elif not must and issubclass(model, ContractFrame):
        meaning += " May be absent."
    return f"| `{name}` | {_type(field)} | {re.sub(r'[|]', '/', meaning.strip())} |\n"


def _type(field: dict[str, Any]) -> str:
    given = next((one for one in field.get("anyOf", ()) if one.get("type") != "null"), field)
    if "const" in given:
        return f"`{given['const']}`"
    if "enum" in given:
        return " / ".join(f"`{word}`" for word in given["enum"])
    if given.get("type") == "array":
        return f"list of {_type(given['items'])}"
    if "$ref" in given:
        return "object"
    return {"uuid": "UUID", "date-time": "time (RFC 3339)"}.get(given.get("format", ""), str(given.get("type", "any")))
