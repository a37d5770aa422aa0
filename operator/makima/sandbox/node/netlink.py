"""The few changes to links, addresses and routes that a node needs, as rtnetlink messages: no `ip` has to be there.

Numbers and layouts: linux/rtnetlink.h, linux/if_link.h, rtnetlink(7), veth(4).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from ipaddress import IPv4Address, IPv4Network

REQUEST_ACK, CREATE_EXCLUSIVE = 0x5, 0x600
NEW_LINK, NEW_ADDRESS, NEW_ROUTE = 16, 20, 24
IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_PID, IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 3, 18, 19, 1, 2, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
TABLE_MAIN, TABLE_LOCAL, BY_BOOT = 254, 255, 3
SCOPE_UNIVERSE, SCOPE_HOST, UNICAST, LOCAL = 0, 254, 1, 2
IFF_UP = 1
ANSWER_SECONDS = 5.0


def add_pair(name: str, peer: str, namespace_of: int) -> None:
    """Two ends of a cable: one here, the peer in the network namespace of that process.

    Raises:
        OSError: EEXIST if the name is taken; EPERM without CAP_NET_ADMIN.
    """
    other = _link() + _text(IFLA_IFNAME, peer) + _attribute(IFLA_NET_NS_PID, struct.pack("=I", namespace_of))
    data = _attribute(IFLA_INFO_DATA, _attribute(VETH_INFO_PEER, other))
    _ask(NEW_LINK, CREATE_EXCLUSIVE, _link() + _text(IFLA_IFNAME, name)
         + _attribute(IFLA_LINKINFO, _text(IFLA_INFO_KIND, "veth") + data))  # fmt: skip


def bring_up(name: str) -> None:
    """Switch a link on."""
    _ask(NEW_LINK, 0, _link(socket.if_nametoindex(name), up=True))


def add_address(name: str, address: IPv4Address, prefix: int) -> None:
    """Give a link an address, with the route to its network that comes with it."""
    head = struct.pack("=BBBBI", socket.AF_INET, prefix, 0, SCOPE_UNIVERSE, socket.if_nametoindex(name))
    _ask(NEW_ADDRESS, CREATE_EXCLUSIVE, head + _attribute(IFA_LOCAL, address.packed)
         + _attribute(IFA_ADDRESS, address.packed))  # fmt: skip


def add_route(network: IPv4Network, gateway: IPv4Address) -> None:
    """Send what is for this network to that gateway."""
    head = _route(network.prefixlen, TABLE_MAIN, SCOPE_UNIVERSE, UNICAST)
    destination = _attribute(RTA_DST, network.network_address.packed) if network.prefixlen else b""
    _ask(NEW_ROUTE, CREATE_EXCLUSIVE, head + destination + _attribute(RTA_GATEWAY, gateway.packed))


def add_own_network(network: IPv4Network) -> None:
    """Take every address of this network for one of this machine's own (AnyIP), so that it can be listened on."""
    head = _route(network.prefixlen, TABLE_LOCAL, SCOPE_HOST, LOCAL)
    device = _attribute(RTA_OIF, struct.pack("=I", socket.if_nametoindex("lo")))
    _ask(NEW_ROUTE, CREATE_EXCLUSIVE, head + _attribute(RTA_DST, network.network_address.packed) + device)


def _link(index: int = 0, *, up: bool = False) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, IFF_UP if up else 0, IFF_UP if up else 0)


def _route(prefix: int, table: int, scope: int, kind: int) -> bytes:
    return struct.pack("=BBBBBBBBI", socket.AF_INET, prefix, 0, 0, table, BY_BOOT, scope, kind, 0)


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def _ask(kind: int, flags: int, body: bytes) -> None:
    """Send one message and read the kernel's word on it: a negative errno, 0 for done."""
    message = struct.pack("=IHHII", 16 + len(body), kind, REQUEST_ACK | flags, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(ANSWER_SECONDS)
        kernel.sendto(message, (0, 0))
        (number,) = struct.unpack_from("=i", kernel.recv(65536), 16)
    if number:
        raise OSError(-number, f"rtnetlink: {os.strerror(-number)} ({errno.errorcode.get(-number, '?')})")
