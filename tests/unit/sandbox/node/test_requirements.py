"""Whether a machine can run a node, and what is said where it can't."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from makima.sandbox.node.requirements import NEEDED_CAPABILITIES, NEEDED_CONTROLLERS, Machine, reasons_against

ALL = sum(1 << bit for bit in NEEDED_CAPABILITIES.values())
ABLE = Machine("linux", ALL, frozenset(NEEDED_CONTROLLERS), True, lambda name: f"/bin/{name}", Path("/home/a/.cache"))


def test_a_machine_that_has_everything_can() -> None:
    assert reasons_against(ABLE) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"platform": "darwin"}, "needs Linux, and this is darwin"),
        (
            {"capabilities": 0},
            "needs root with CAP_NET_ADMIN, CAP_SYS_CHROOT, CAP_SYS_ADMIN, CAP_MKNOD: run it with sudo",
        ),
        ({"capabilities": ALL & ~(1 << 21)}, "needs root with CAP_SYS_ADMIN: run"),
        ({"controllers": frozenset({"cpu", "cpuset", "pids"})}, "no cgroup controller memory"),
        ({"writable_cgroups": False}, "can't be written: in a container, start it privileged"),
        ({"command": lambda _: None}, "the command sh is not on PATH"),
        ({"cache": Path("/run/user/0/cache")}, "is below /run, which a node hides: set XDG_CACHE_HOME"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(change: dict[str, Any], reason: str) -> None:
    assert reason in "\n".join(reasons_against(replace(ABLE, **change)))


def test_every_reason_is_told_at_once() -> None:
    poor = replace(ABLE, controllers=frozenset(), command=lambda _: None, cache=Path("/var/lib/x"))
    assert len(reasons_against(poor)) == 4
