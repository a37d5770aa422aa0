"""docs/reference/api.md: every call, from the OpenAPI document that the API service itself gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from makima.http.examples import PROBLEMS
from makima.http.reference import document
from makima.models.wire.problem import HTTP_STATUS

HEAD = """\
# REST API

Every call has a bearer token; nothing is answered without one. `GET /openapi.json` (with a token, too) is the same as
this page, for programs. Behind the aggregated API the paths begin with `/apis/monitor.makima.dev/v1alpha1` instead of
`/api/v1`.

`{id}` is the UID of the contract, or `namespace:name` for the newest contract of that name. Who names a namespace that
is not theirs is told `FORBIDDEN`, whatever is in it; who names a UID that they may not read is told that there is none.

Reads of one contract come from Kubernetes as it is now; lists, tasks, questions and events from Postgres, which also
has contracts that are gone. A list says in `projection` how new it is.

What changes a contract is written to the API server as the caller, with the token of the call: it has to be one that
the API server takes (`kubectl create token NAME`), not one of makima's audience only. The call then waits up to `wait`
seconds for what the operator makes of it: 200 with `"result": "success"`, or 202 with `"result": "pending"`: it is
recorded.

A flag that is off takes its calls away: `enhanced_contract_status` change_status (and `state` then repeats the old
`status`); `auto_complete` phase-readiness, check-completion and auto-complete; `supervisor_heartbeat` everything about
supervisors, and batch refuses `restart_stale`; `monitoring_dashboard` dashboard, live monitor and batch.
"""

ERRORS = """\
## Errors

Every answer that is not a success is `{"error": {"code", "message", "field", "hint", "details"}}`. Any call may answer
with any of these; `Retry-After` comes with 503.

| code | HTTP | for example |
|---|---|---|
"""

SUCCESS = ("200", "201", "202")


def api_page() -> str:
    """The page as Markdown."""
    found = document()
    tags: dict[str, list[str]] = {}
    for path, calls in found["paths"].items():
        for method, call in calls.items():
            tags.setdefault(call["tags"][0], []).append(_call(method, path, call, found["components"]["schemas"]))
    parts = [HEAD, ERRORS + "".join(_errors())]
    for tag, calls_of_tag in tags.items():
        parts += [f"## {tag.capitalize()}\n", *calls_of_tag]
    return "\n".join(parts)


def _errors() -> Iterator[str]:
    for code, status in HTTP_STATUS.items():
        yield f"| `{code}` | {status} | {PROBLEMS[code]['error']['message']} |\n"


def _call(method: str, path: str, call: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = [f"### {method.upper()} {path}\n", f"`{call['operationId']}`: {call['description']}\n"]
    parameters = "".join(_parameter(one) for one in call.get("parameters", ()) if one["in"] == "query")
    if parameters:
        parts.append(f"| query parameter | type | default | meaning |\n|---|---|---|---|\n{parameters}")
    body = call.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        parts += [_fields(body["schema"], schemas), _example("Body", body.get("example"))]
    for status in SUCCESS:
        answer = call["responses"].get(status)
        if answer is not None:
            parts.append(_answer(status, answer))
    return "\n".join(part for part in parts if part)


def _parameter(one: dict[str, Any]) -> str:
    schema = one["schema"]
    default = f"`{json.dumps(schema['default'])}`" if schema.get("default") not in (None, []) else "–"
    return f"| `{one['name']}` | {_type(schema)} | {default} | {_line(one.get('description', ''))} |\n"


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """The fields of a body; those of a body that may be left out as well."""
    model = _resolved(schema, schemas)
    if not model.get("properties"):
        return ""
    rows = "".join(
        f"| `{name}` | {_type(field)}{'' if name in model.get('required', ()) else ', optional'} "
        f"| {_line(field.get('description', ''))} |\n"
        for name, field in model["properties"].items()
    )
    return f"| field | type | meaning |\n|---|---|---|\n{rows}"


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            found: dict[str, Any] = schemas[one["$ref"].rpartition("/")[2]]
            return found
    return schema


def _type(schema: dict[str, Any]) -> str:
    kinds = [one for one in schema.get("anyOf", (schema,)) if one.get("type") != "null"]
    return " or ".join(dict.fromkeys(_kind(one) for one in kinds))


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " \\| ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    limits = [f"{sign} {schema[word]:g}" for word, sign in LIMITS.items() if word in schema]
    return ", ".join([str(schema.get("format") or schema.get("type") or "JSON"), *limits])


LIMITS = {"minimum": "≥", "maximum": "≤", "maxLength": "length ≤"}


def _answer(status: str, answer: dict[str, Any]) -> str:
    content = answer.get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if status == "202":
        return f'202: {answer["description"]} The body is the same, with `"result": "pending"`.\n'
    return _example(f"{status}, {name}" if name else status, content.get("example"))


def _example(title: str, example: object) -> str:
    if example is None:
        return ""
    return f"{title}:\n\n```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```\n"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
