"""docs/reference/configuration.md: every key of the configuration, from the very models that read it."""

from __future__ import annotations

import inspect
import json

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from makima.config import Config
from makima.schema.constraints import Schema

PREFIX = Config.model_config.get("env_prefix", "")
DELIMITER = Config.model_config.get("env_nested_delimiter") or ""

HEAD = f"""\
# Configuration

One TOML file, and the environment over it. `{PREFIX}CONFIG` names the file; without it, `makima.toml` in the working
directory is read if there is one. An unknown key of a section is an error. In the environment a list is written as
JSON: `{PREFIX}OPERATOR{DELIMITER}NAMESPACES='["team-a", "team-b"]'`. A secret is better off there than in a file.
"""

TABLE = "| key | environment variable | type | default | meaning |\n|---|---|---|---|---|\n"

LIMITS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤", "maxLength": "length ≤"}


def settings_page() -> str:
    """The page as Markdown."""
    plain = {name: field for name, field in Config.model_fields.items() if _section(field) is None}
    parts = [HEAD, "## At the top of the file\n", _rows(Config, "", plain)]
    for name, field in Config.model_fields.items():
        section = _section(field)
        if section is not None:
            title = inspect.cleandoc(section.__doc__ or f"`[{name}]`.")
            parts += [f"## {title.removesuffix('.')}\n", _rows(section, f"{name}{DELIMITER}", section.model_fields)]
    return "\n".join(parts)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _rows(model: type[BaseModel], path: str, fields: dict[str, FieldInfo]) -> str:
    schemas = model.model_json_schema()["properties"]
    rows = (_row(name, f"{PREFIX}{path}{name}".upper(), field, schemas[name]) for name, field in fields.items())
    return TABLE + "".join(rows)


def _row(name: str, variable: str, field: FieldInfo, schema: Schema) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | `{variable}` | {_type(schema)} | {_default(field)} | {meaning} |\n"


def _type(schema: Schema) -> str:
    """The type with its limits; that a key may be left out is said by its default."""
    given = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    if "enum" in given:
        return " \\| ".join(f"`{word}`" for word in given["enum"])
    if given["type"] == "array":
        return f"list of {given['items']['type']}s"
    if given["type"] == "string":
        return {"password": "string, secret", "path": "path"}.get(given.get("format", ""), "string")
    limits = [f"{sign} {given[word]:g}" for word, sign in LIMITS.items() if word in given]
    return ", ".join([str(given["type"]), *limits])


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=False)
    return "none" if value is None else f"`{json.dumps(value, default=str)}`"
