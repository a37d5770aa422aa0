"""The three CustomResourceDefinitions, made from the models."""

from __future__ import annotations

from typing import Any

from makima.models.contract import Contract
from makima.models.contract_type import ContractType
from makima.models.markers import API_GROUP, API_VERSION, Column, Model, ResourceNames
from makima.models.supervisor import Supervisor
from makima.schema.constraints import Schema
from makima.schema.rules.by_model import rules_of
from makima.schema.structural import field_schema, rules_schema, summary
from makima.schema.version import stamp

KINDS: tuple[type[Model], ...] = (Contract, ContractType, Supervisor)

CRD_API = "apiextensions.k8s.io/v1"
API_VERSION_HELP = "Version of the API that this object is written in; makima.dev/v1alpha1."
KIND_HELP = "Kind of this object."


def names_of(kind: type[Model]) -> ResourceNames:
    """Under which names the API server offers this kind.

    Raises:
        AttributeError: the model is no kind of its own.
    """
    names: ResourceNames = kind.__resource__  # type: ignore[attr-defined]  # only kinds have it
    return names


def crd_name(kind: type[Model]) -> str:
    """Name of the CustomResourceDefinition."""
    return f"{names_of(kind).plural}.{API_GROUP}"


def render_crd(kind: type[Model]) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    names = names_of(kind)
    return {
        "apiVersion": CRD_API,
        "kind": "CustomResourceDefinition",
        "metadata": stamp(crd_name(kind)),
        "spec": {
            "group": API_GROUP,
            "scope": "Namespaced",
            "preserveUnknownFields": False,
            "names": _names(names),
            "versions": [_version(kind, names)],
        },
    }


def render_crds() -> list[dict[str, Any]]:
    """All three."""
    return [render_crd(kind) for kind in KINDS]


def root_schema(kind: type[Model]) -> Schema:
    """Schema of a whole object; the API server itself knows what is in `metadata`."""
    properties = {
        "apiVersion": {"description": API_VERSION_HELP, "type": "string"},
        "kind": {"description": KIND_HELP, "type": "string"},
        "metadata": {"type": "object"},
        **_parts(kind),
    }
    schema: Schema = {"description": summary(kind), "type": "object", "properties": properties}
    if kind.model_fields["spec"].is_required():
        schema["required"] = ["spec"]
    return schema | rules_schema(rules_of(kind))


def _parts(kind: type[Model]) -> Schema:
    return {
        name: field_schema(field, defaults=name == "spec")
        for name, field in kind.model_fields.items()
        if name in ("spec", "status")
    }


def _names(names: ResourceNames) -> dict[str, Any]:
    return {
        "kind": names.kind,
        "listKind": f"{names.kind}List",
        "plural": names.plural,
        "singular": names.singular,
        "shortNames": list(names.short),
        "categories": list(names.categories),
    }


def _version(kind: type[Model], names: ResourceNames) -> dict[str, Any]:
    version: dict[str, Any] = {"name": API_VERSION, "served": True, "storage": True}
    if "status" in kind.model_fields:
        version["subresources"] = {"status": {}}
    version["additionalPrinterColumns"] = [_column(column) for column in names.columns]
    if names.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in names.selectable]
    return version | {"schema": {"openAPIV3Schema": root_schema(kind)}}


def _column(column: Column) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    if column.format:
        shown["format"] = column.format
    if column.description:
        shown["description"] = column.description
    if column.priority:
        shown["priority"] = column.priority
    return shown
