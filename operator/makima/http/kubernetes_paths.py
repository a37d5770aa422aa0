"""Kubernetes-shaped paths of the aggregated API, as the paths of REST.

The API server takes a path apart into namespace, resource, name and subresource and asks RBAC about them before it
forwards the call. What is taken apart here is the same path in the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from makima.models.markers import MONITOR_GROUP, MONITOR_VERSION

ROOT = f"/apis/{MONITOR_GROUP}/{MONITOR_VERSION}"
REST = "/api/v1/contracts"
SHORT = ("monitor", "dashboard", "batch")
"""Resources of their own here, so that roles can name them; below `contracts` in REST."""

STREAMS = ("monitor",)
OF_PEOPLE = ("sync", "restart")
"""What people ask of a supervisor."""

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class RestCall:
    """A call of REST.

    Attributes:
        query: of the original, with the namespace of the path in it, where it has one.
        stream: it may stay open; the API server ends it after its --request-timeout unless it is a watch to it.
        watch: it is one.
    """

    path: str
    query: bytes
    stream: bool = False
    watch: bool = False

    @property
    def by_supervisors(self) -> bool:
        """Whether it belongs to supervisors, where it is more than a read."""
        _, found, rest = self.path.partition("/supervisor/")
        return bool(found) and rest not in OF_PEOPLE


def rest_call(path: str, query: bytes) -> RestCall | None:
    """The call of REST that a path stands for; None where there is none."""
    if not path.startswith(f"{ROOT}/"):
        return None
    parts = path[len(ROOT) + 1 :].split("/")
    if any(part in ("", ".", "..") for part in parts):
        return None
    namespace = ""
    if parts[0] == "namespaces":
        if len(parts) < 3 or not NAME.fullmatch(parts[1]):
            return None
        namespace, parts = parts[1], parts[2:]
    found = _path(namespace, parts)
    if found is None:
        return None
    stream = found in {f"{REST}/{name}" for name in STREAMS}
    # Only where no name follows does the API server see a watch, which it lets stay open.
    return RestCall(found, _query(namespace, parts, query), stream, stream and len(parts) == 1 and _watch(query))


def _path(namespace: str, parts: list[str]) -> str | None:
    resource, rest = parts[0], parts[1:]
    if resource in SHORT:
        named = rest == ["report"] and resource == "batch"
        return "/".join((REST, resource, *rest)) if named or not rest else None
    if resource != "contracts":
        return None
    if not rest:
        return REST
    if not namespace:
        return "/".join((REST, *rest))
    return "/".join((REST, _id(namespace, rest[0]), *rest[1:])) if NAME.fullmatch(rest[0]) else None


def _id(namespace: str, name: str) -> str:
    """By UID where it is one: for contracts that are gone. REST asks for rights where that contract really is."""
    return name if UID.fullmatch(name) else f"{namespace}:{name}"


def _query(namespace: str, parts: list[str], query: bytes) -> bytes:
    """With the namespace of the path, and no other, where many contracts are meant."""
    if not namespace or len(parts) > 1:
        return query
    kept = [(key, value) for key, value in _pairs(query) if key != "namespace"]
    return urlencode([("namespace", namespace), *kept]).encode()


def _watch(query: bytes) -> bool:
    return any(key == "watch" and value in ("1", "true") for key, value in _pairs(query))


def _pairs(query: bytes) -> list[tuple[str, str]]:
    return parse_qsl(query.decode("latin-1"), keep_blank_values=True)
