"""The addresses that a node gets: private, and nobody else's."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.sandbox.folders import SandboxError
from makima.sandbox.node import addresses
from makima.sandbox.node.addresses import MOST, Addresses, free_addresses, routed_networks

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def table(*networks: str) -> str:
    lines = []
    for one in map(IPv4Network, networks):
        address, mask = (struct.unpack("=I", item.packed)[0] for item in (one.network_address, one.netmask))
        lines.append(f"eth0\t{address:08X}\t00000000\t0001\t0\t0\t0\t{mask:08X}\t0\t0\t0\n")
    return HEAD + "".join(lines)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 32)), max_size=5))
def test_networks_are_read_from_the_routing_table(parts: list[tuple[int, int]]) -> None:
    networks = [IPv4Network((address, prefix), strict=False) for address, prefix in parts]
    assert routed_networks(table(*map(str, networks))) == networks


def test_the_default_route_is_no_network_of_its_own() -> None:
    assert routed_networks(table("0.0.0.0/0", "10.0.0.0/8")) == [IPv4Network("10.0.0.0/8")]


@pytest.mark.parametrize(
    ("routed", "number"),
    [
        ((), 0),
        (("0.0.0.0/0", "192.168.0.0/16"), 0),
        (("10.99.0.0/24",), 1),
        (("10.244.0.0/23",), 2),
        (("10.99.0.0/24", "10.244.1.0/24"), 2),
    ],
)
def test_the_first_numbers_whose_networks_are_not_routed_is_taken(
    routed: tuple[str, ...], number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "route").write_text(table(*routed))
    monkeypatch.setattr(addresses, "ROUTES", tmp_path / "route")
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo")])
    assert free_addresses() == Addresses(number)


def test_a_machine_that_routes_everything_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "route").write_text(table("10.0.0.0/8"))
    monkeypatch.setattr(addresses, "ROUTES", tmp_path / "route")
    with pytest.raises(SandboxError, match="is routed already"):
        free_addresses()


def test_all_numbers_give_names_and_addresses_that_exist() -> None:
    every = [Addresses(number) for number in range(MOST)]
    assert all(len(one.link) <= 15 and one.host in one.cable and one.node in one.cable for one in every)
    assert len({one.pods for one in every} | {one.cable for one in every}) == 2 * MOST
