"""Services with their endpoints, from what the API server lists."""

from __future__ import annotations

from typing import Any

from makima.sandbox.node.services import Directory, directory


def service(name: str, address: str, *ports: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "a"}, "spec": {"clusterIP": address, "ports": list(ports)}}


def endpoint_slice(service: str, port: dict[str, Any], *endpoints: tuple[str, bool | None]) -> dict[str, Any]:
    made = [
        {"addresses": [address], "conditions": {} if ready is None else {"ready": ready}}
        for address, ready in endpoints
    ]
    labels = {"kubernetes.io/service-name": service}
    return {"metadata": {"namespace": "a", "labels": labels}, "ports": [port], "endpoints": made}


def test_a_service_leads_to_its_ready_pods_by_the_name_of_the_port() -> None:
    web = service("web", "10.96.0.1", {"name": "http", "port": 80}, {"name": "metrics", "port": 9090})
    slices = [
        endpoint_slice("web", {"name": "http", "port": 8080}, ("10.244.0.2", True), ("10.244.0.3", False)),
        endpoint_slice("web", {"name": "http", "port": 8080}, ("10.244.0.4", None)),
        endpoint_slice("web", {"name": "metrics", "port": 9091}, ("10.244.0.2", True)),
        endpoint_slice("other", {"name": "http", "port": 8080}, ("10.244.0.9", True)),
    ]
    assert directory([web], slices) == Directory(
        {
            ("10.96.0.1", 80): (("10.244.0.2", 8080), ("10.244.0.4", 8080)),
            ("10.96.0.1", 9090): (("10.244.0.2", 9091),),
        },
        {"web.a": ("10.96.0.1",)},
    )


def test_a_headless_service_has_the_names_of_its_pods_and_nothing_to_listen_on() -> None:
    slices = [endpoint_slice("db", {"port": 5432}, ("10.244.0.3", True), ("10.244.0.2", True))]
    assert directory([service("db", "None")], slices) == Directory({}, {"db.a": ("10.244.0.2", "10.244.0.3")})


def test_a_service_without_pods_is_listened_on_and_refuses() -> None:
    assert directory([service("web", "10.96.0.1", {"port": 80})], []).endpoints == {("10.96.0.1", 80): ()}


def test_only_tcp_is_carried_and_missing_lists_are_empty() -> None:
    named = service("dns", "10.96.0.10", {"port": 53, "protocol": "UDP"})
    empty = {"metadata": {"namespace": "a"}, "ports": None, "endpoints": None}
    assert directory([named], [empty]) == Directory({}, {"dns.a": ("10.96.0.10",)})
