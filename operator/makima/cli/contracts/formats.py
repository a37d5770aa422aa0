"""Output formats: for people `table`, `wide`, `compact`; for programs `json`, `yaml`, `name`. Every command has all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from makima.cli.contracts.call import Function, option
from makima.cli.contracts.text import Screen

if TYPE_CHECKING:
    from makima.models.contract import Contract
    from makima.models.supervisor import Supervisor

MEANING = {
    "table": "for people; of one contract, a tree or a sentence",
    "wide": "the same with everything that there is room for",
    "json": "for programs",
    "yaml": "the same as YAML",
    "compact": "one line for each thing",
    "name": "one name for each thing, as other commands take it",
}
FORMATS = tuple(MEANING)
FOR_PEOPLE = frozenset({"tree", "table", "wide", "compact"})
"""Formats that may be drawn again in place, and say in words that there is nothing."""


def format_option(formats: Sequence[str] = FORMATS, default: str = "table", *, output_too: bool = True) -> Function:
    """`--format`, and `-o`/`--output` where that is no file.

    Args:
        formats: others than all, where what is written is a document, or a stream.
    """
    both = ("-o", "--output") if output_too else ()
    return option(
        "--format",
        "form",
        type=click.Choice(formats),
        default=default,
        show_default=True,
        makima=both,
        kubectl=("-o", "--output"),
        help="Output format.",
    )


def as_json(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def as_yaml(value: Any) -> str:
    """YAML, without what nobody reads."""
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=118)
    return text


def say_data(screen: Screen, form: str, value: Any) -> None:
    """A value as JSON or YAML."""
    screen.say(as_json(value) if form == "json" else as_yaml(value).rstrip("\n"))


def without_bookkeeping(body: dict[str, Any]) -> dict[str, Any]:
    """An object without managedFields, as kubectl shows it."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    return {**body, "metadata": metadata}


def as_object(model: Contract | Supervisor) -> dict[str, Any]:
    """A contract or supervisor as the object that kubectl takes."""
    from makima.models.markers import API_GROUP, API_VERSION

    body = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    head = {"apiVersion": f"{API_GROUP}/{API_VERSION}", "kind": type(model).__name__}
    return {**head, **without_bookkeeping(body)}


def as_list(bodies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Objects as the list that kubectl writes."""
    return {"apiVersion": "v1", "kind": "List", "items": [without_bookkeeping(body) for body in bodies]}


def name_of(body: dict[str, Any], *, several_namespaces: bool) -> str:
    """An object as `-o name`: what kubectl takes; with its namespace where there are several, what makima takes."""
    meta = body["metadata"]
    if several_namespaces:
        return f"{meta['namespace']}/{meta['name']}"
    return f"contract.makima.dev/{meta['name']}"
