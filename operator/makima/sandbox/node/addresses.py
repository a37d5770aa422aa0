"""Which addresses a node has: a /24 between machine and node, a /24 for pods; both private to this machine."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from makima.sandbox.folders import SandboxError

MOST = 200
SERVICES = IPv4Network("10.96.0.0/16")
ROUTES = Path("/proc/net/route")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of the node with this number; several nodes of several sandboxes differ in it."""

    number: int

    @property
    def link(self) -> str:
        """The machine's end of the cable (15 characters at most, says the kernel)."""
        return f"makima{self.number}"

    @property
    def host(self) -> IPv4Address:
        """The machine, as node and pods see it."""
        return IPv4Address(f"10.99.{self.number}.1")

    @property
    def node(self) -> IPv4Address:
        """The node, as the machine and pods see it."""
        return IPv4Address(f"10.99.{self.number}.2")

    @property
    def cable(self) -> IPv4Network:
        """What machine and node share."""
        return IPv4Network(f"10.99.{self.number}.0/24")

    @property
    def pods(self) -> IPv4Network:
        """The pods' addresses, reached through the node."""
        return IPv4Network(f"10.244.{self.number}.0/24")


def free_addresses() -> Addresses:
    """The first that nobody here uses at the moment.

    Raises:
        SandboxError: all are in use.
    """
    routed = routed_networks(ROUTES.read_text())
    links = {name for _, name in socket.if_nameindex()}
    for number in range(MOST):
        found = Addresses(number)
        taken = any(mine.overlaps(other) for mine in (found.cable, found.pods) for other in routed)
        if found.link not in links and not taken:
            return found
    raise SandboxError(
        "every address range that a node could have (10.99.0.0/16 with 10.244.0.0/16) is routed already",
        "end other sandboxes (makima sandbox down --all), or what routes these networks on this machine",
    )


def routed_networks(table: str) -> list[IPv4Network]:
    """The networks in the text of /proc/net/route (addresses there are in the machine's byte order), but defaults."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 8:
            address, mask = (struct.pack("=I", int(fields[index], 16)) for index in (1, 7))
            prefix = int.from_bytes(mask).bit_count()
            if prefix:
                found.append(IPv4Network((address, prefix)))
    return found
