"""Services and their endpoints, as the service proxy and the name server need them: pure, from what the API lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Directory:
    """What there is at one moment.

    Attributes:
        endpoints: for each address and port of a service, where its ready pods listen.
        names: for each service, as `NAME.NAMESPACE`, its address; for one without (headless), its pods' addresses.
    """

    endpoints: Mapping[Address, tuple[Address, ...]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def directory(services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]]) -> Directory:
    """Put services and EndpointSlices together (TCP only; an endpoint whose readiness is unknown counts as ready)."""
    ready = _ready(slices)
    endpoints: dict[Address, tuple[Address, ...]] = {}
    names: dict[str, tuple[str, ...]] = {}
    for service in services:
        name = f"{service['metadata']['name']}.{service['metadata']['namespace']}"
        own = service["spec"].get("clusterIP", "")
        found = ready.get(name, {})
        if own in {"", "None"}:
            names[name] = tuple(sorted({address for ports in found.values() for address, _ in ports}))
            continue
        names[name] = (own,)
        for port in service["spec"].get("ports", ()):
            if port.get("protocol", "TCP") == "TCP":
                endpoints[own, port["port"]] = found.get(port.get("name", ""), ())
    return Directory(endpoints, names)


def _ready(slices: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, tuple[Address, ...]]]:
    """By service, then by the port's name: slices carry resolved port numbers."""
    found: dict[str, dict[str, tuple[Address, ...]]] = {}
    for one in slices:
        service = one["metadata"].get("labels", {}).get("kubernetes.io/service-name")
        ports = found.setdefault(f"{service}.{one['metadata']['namespace']}", {})
        ready = [item for item in one.get("endpoints") or () if item.get("conditions", {}).get("ready") is not False]
        for port in one.get("ports") or ():
            if port.get("port"):
                here = tuple((address, port["port"]) for item in ready for address in item["addresses"])
                ports[port.get("name") or ""] = ports.get(port.get("name") or "", ()) + here
    return found
