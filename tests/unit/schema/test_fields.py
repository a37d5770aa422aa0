"""Every field of every kind: described, bounded, named as Kubernetes names things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from makima.schema.crds import render_crds

Schema = dict[str, Any]
Place = tuple[str, Schema]

CRDS = {crd["spec"]["names"]["kind"]: crd for crd in render_crds()}
BUILT_IN = ("apiVersion", "kind", "metadata")
PERIOD = re.compile(r"(Seconds|Time|Limit)$")


def _schema(kind: str) -> Schema:
    root: Schema = CRDS[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return root


def _below(path: str, schema: Schema) -> Iterator[Place]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        if path.count(".") or name not in BUILT_IN:
            yield from _below(f"{path}.{name}", part)
    if "items" in schema:
        yield from _below(f"{path}[]", schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _below(f"{path}{{}}", schema["additionalProperties"])


PLACES: list[Place] = [place for kind in CRDS for place in _below(kind, _schema(kind)) if place[0] != kind]
FIELDS = [(path, schema) for path, schema in PLACES if not path.endswith(("[]", "{}"))]


def of_type(kind: str) -> list[Place]:
    return [(path, schema) for path, schema in PLACES if schema["type"] == kind]


def wrong(found: Iterator[str]) -> None:
    listed = list(found)
    assert not listed, "\n".join(listed)


def test_there_are_fields() -> None:
    assert len(FIELDS) > 250


def test_every_field_is_described_in_sentences() -> None:
    wrong(
        f"{path}: {schema.get('description')!r}"
        for path, schema in FIELDS
        if not re.fullmatch(r"(?s)\S.{2,}[.…?]", schema.get("description", ""))
    )


def test_a_default_is_said_in_the_description() -> None:
    scalars = [(path, schema) for path, schema in FIELDS if schema["type"] in ("string", "integer", "boolean")]
    wrong(
        f"{path}: default {schema['default']!r} is not in {schema['description']!r}"
        for path, schema in scalars
        if "default" in schema and f"Default: {_spelled(schema['default'])}" not in schema["description"]
    )


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


ONE_OF = re.compile(
    r"\.(cel|http|min|names|value|secretKeyRef|configMapKeyRef|configMap|secret|emptyDirSize|\w+Claim)$"
)
"""Fields of which one is chosen, or that go with a choice: none has a default."""


def test_what_may_be_left_out_of_a_spec_says_what_happens_then() -> None:
    required = _required_paths()
    wrong(
        f"{path}: {schema['description']}"
        for path, schema in FIELDS
        if ".spec." in path
        and path not in required
        and not (ONE_OF.search(path) and "workspace" not in path)
        and "Default: " not in schema["description"]
    )


def _required_paths() -> set[str]:
    return {f"{path}.{name}" for path, schema in PLACES for name in schema.get("required", ())}


def test_every_number_of_time_says_its_unit_in_its_name() -> None:
    wrong(
        f"{path}: {schema['description']}"
        for path, schema in of_type("integer")
        if re.search(r"(?i)\bseconds\b", schema.get("description", ""))
        and "seconds" not in path.rpartition(".")[2].lower()
    )


def test_every_moment_ends_in_time() -> None:
    wrong(
        path
        for path, schema in of_type("string")
        if schema.get("format") == "date-time" and not path.lower().endswith("time")
    )


def test_every_text_is_bounded_and_free_of_control_characters() -> None:
    for path, schema in of_type("string"):
        if "enum" in schema or schema.get("format") == "date-time":
            continue
        assert 0 < schema.get("maxLength", 0) <= 8192, path
        assert not re.search(schema["pattern"], "a\x00b"), path
        assert not re.search(schema["pattern"], "\x1b[2J"), path


def test_every_list_is_bounded_and_says_how_it_is_merged() -> None:
    for path, schema in of_type("array"):
        assert 0 < schema.get("maxItems", 0) <= 96, path
        assert schema["x-kubernetes-list-type"] in ("map", "set", "atomic"), path
        if schema["x-kubernetes-list-type"] == "map":
            required = schema["items"]["required"]
            assert set(schema["x-kubernetes-list-map-keys"]) <= set(required), f"{path}: keys are always there"
        if schema["x-kubernetes-list-type"] == "set":
            assert schema["items"]["type"] != "object", path


def test_every_map_is_bounded_in_entries_keys_and_values() -> None:
    maps = [(path, schema) for path, schema in PLACES if "additionalProperties" in schema]
    assert maps
    for path, schema in maps:
        assert 0 < schema.get("maxProperties", 0) <= 16, path
        assert any("size(key) <= " in rule["rule"] for rule in schema["x-kubernetes-validations"]), path
        assert "maxLength" in schema["additionalProperties"], path


def test_every_number_is_bounded_below_and_what_people_write_above_too() -> None:
    for path, schema in of_type("integer"):
        assert schema["format"] == "int64", path
        assert schema.get("minimum", -1) >= 0, path
        # What counts up for ever, and what has to equal such a count, ends where int64 does.
        if ".spec." in path and not re.search(r"expected(Version|Incarnation|Clearings)$", path):
            assert "maximum" in schema, path


def test_every_word_is_in_camel_case() -> None:
    for path, schema in PLACES:
        for word in schema.get("enum", ()):
            assert re.fullmatch(r"([A-Z][a-z]+)+", word), f"{path}: {word}"
            assert word in schema["enum"]


def test_every_field_is_named_in_camel_case() -> None:
    wrong(path for path, _ in FIELDS if not re.fullmatch(r"[a-z][a-zA-Z0-9]*", path.rpartition(".")[2]))


def test_an_object_knows_all_its_fields() -> None:
    """Nothing is kept that the models don't know."""
    text = str(CRDS)
    assert "x-kubernetes-preserve-unknown-fields" not in text
    assert "x-kubernetes-embedded-resource" not in text
    wrong(
        path
        for path, schema in of_type("object")
        if "properties" not in schema and "additionalProperties" not in schema
    )


def test_a_status_has_no_defaults() -> None:
    wrong(path for path, schema in PLACES if ".status" in path and "default" in schema)


CODES = ("INVALID_TRANSITION", "VALIDATION_FAILED", "VERSION_CONFLICT")


def test_every_rule_has_a_message_that_begins_with_a_code_of_the_plan() -> None:
    rules = [(path, rule) for kind in CRDS for path, schema in _below(kind, _schema(kind)) for rule in _rules(schema)]
    assert len(rules) > 20
    for path, rule in rules:
        message = rule.get("message") or rule["messageExpression"].lstrip("'")
        assert message.startswith(CODES), f"{path}: {message}"


def _rules(schema: Schema) -> list[dict[str, str]]:
    found: list[dict[str, str]] = schema.get("x-kubernetes-validations", [])
    return found


@pytest.mark.parametrize("kind", CRDS)
def test_a_kind_has_short_names_the_category_and_columns(kind: str) -> None:
    spec = CRDS[kind]["spec"]
    assert spec["names"]["shortNames"]
    assert spec["names"]["categories"] == ["makima"]
    columns = spec["versions"][0]["additionalPrinterColumns"]
    assert columns[-1]["name"] == "Age" or any(column["name"] == "Age" for column in columns)
    for column in columns:
        assert _is_there(kind, column["jsonPath"]), column


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("Contract", {".status.state", ".status.phase", ".spec.type"}), ("Supervisor", {".status.state"})],
)
def test_selectable_fields_are_there(kind: str, fields: set[str]) -> None:
    selectable = {item["jsonPath"] for item in CRDS[kind]["spec"]["versions"][0]["selectableFields"]}
    assert selectable == fields
    assert all(_is_there(kind, path) for path in selectable)


def _is_there(kind: str, json_path: str) -> bool:
    if json_path.startswith(".metadata."):
        return True
    plain = re.sub(r"\[[^]]*\]", "[]", json_path)
    return f"{kind}{plain}" in {path for path, _ in PLACES}
