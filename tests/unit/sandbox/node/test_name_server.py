"""Names of services, as pods ask for them over the wire."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.sandbox.node.name_server import MOST_RECORDS, answer

NAMES = {"api.makima": ("10.96.0.7",), "db.makima": ("10.244.0.2", "10.244.0.3"), "none.makima": ()}
A, AAAA = 1, 28


def query(name: str, kind: int = A, number: int = 77) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def read(message: bytes | None) -> tuple[int, list[str]]:
    """Code and addresses; checks what every answer has to be."""
    assert message is not None
    number, flags, questions, answers, _, _ = struct.unpack_from("!6H", message)
    assert (number, flags >> 15, questions) == (77, 1, 1)
    records = message[len(message) - 16 * answers :]
    found = [".".join(map(str, records[at + 12 : at + 16])) for at in range(0, len(records), 16)]
    return flags & 0xF, found


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("api.makima.svc.cluster.local", A, (0, ["10.96.0.7"])),
        ("API.Makima.svc.cluster.local", A, (0, ["10.96.0.7"])),
        ("db.makima.svc.cluster.local", A, (0, ["10.244.0.2", "10.244.0.3"])),
        ("none.makima.svc.cluster.local", A, (0, [])),
        ("api.makima.svc.cluster.local", AAAA, (0, [])),
        ("other.makima.svc.cluster.local", A, (3, [])),
        ("api.makima.cluster.local", A, (3, [])),
        ("cluster.local", A, (3, [])),
        ("example.org", A, (5, [])),
        ("notcluster.local", A, (5, [])),
    ],
)
def test_names_of_services_and_only_those_have_addresses(name: str, kind: int, expected: tuple[int, list[str]]) -> None:
    assert read(answer(query(name, kind), NAMES)) == expected


def test_an_answer_stays_within_a_datagram() -> None:
    many = {"big.makima": tuple(f"10.244.0.{number}" for number in range(200))}
    message = answer(query("big.makima.svc.cluster.local"), many)
    assert message is not None
    assert len(message) <= 512
    assert len(read(message)[1]) == MOST_RECORDS


@given(st.binary(max_size=600))
def test_any_bytes_get_an_answer_to_their_number_or_none(junk: bytes) -> None:
    message = answer(junk, NAMES)
    assert message is None or (message[:2] == junk[:2] and message[2] & 0x80)


def test_an_answer_is_never_answered() -> None:
    message = answer(query("api.makima.svc.cluster.local"), NAMES)
    assert message is not None
    assert answer(message, NAMES) is None
