"""What pydantic knows about a field, in the words of a structural OpenAPI v3 schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from makima.models.markers import AtomicList, ListMap, SetList

Schema = dict[str, Any]


def unwrap(annotation: Any) -> tuple[Any, list[Any]]:
    """The bare type behind `Annotated` and `| None`, and everything that was said about it on the way.

    Raises:
        TypeError: a union of several types, which a structural schema can't say.
    """
    said: list[Any] = []
    while (origin := get_origin(annotation)) in (Annotated, Union, UnionType):
        if origin is Annotated:
            annotation, *extra = get_args(annotation)
            said += flatten(extra)
            continue
        kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
        if len(kinds) != 1:
            raise TypeError(f"{annotation}: a structural schema has one type a field")
        annotation = kinds[0]
    return annotation, said


def flatten(metadata: Iterable[Any]) -> Iterator[Any]:
    """Single constraints and markers, out of the groups that pydantic keeps them in."""
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from flatten(item.metadata)
        elif isinstance(item, GroupedMetadata):
            yield from item
        else:
            yield item


def number_bounds(said: Iterable[Any]) -> Schema:
    """`minimum` and `maximum`."""
    bounds: Schema = {}
    for item in said:
        if isinstance(item, Ge):
            bounds["minimum"] = item.ge
        elif isinstance(item, Le):
            bounds["maximum"] = item.le
    return bounds


def size_bounds(said: Iterable[Any], least: str, most: str) -> Schema:
    """The lower and the upper size under the names that the type has for them, as minItems and maxItems."""
    bounds: Schema = {}
    for item in said:
        if isinstance(item, MinLen) and item.min_length:
            bounds[least] = item.min_length
        elif isinstance(item, MaxLen):
            bounds[most] = item.max_length
    return bounds


def pattern_of(said: Iterable[Any]) -> str | None:
    """The regular expression that a string has to match."""
    return next((item.pattern for item in said if getattr(item, "pattern", None)), None)


def list_type(said: Iterable[Any]) -> Schema:
    """How server-side apply merges a list; a list that says nothing is replaced as a whole."""
    for item in said:
        if isinstance(item, ListMap):
            return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(item.keys)}
        if isinstance(item, SetList):
            return {"x-kubernetes-list-type": "set"}
        if isinstance(item, AtomicList):
            return {"x-kubernetes-list-type": "atomic"}
    return {"x-kubernetes-list-type": "atomic"}
