"""Services are tested in virtual time: what they wait for is decided by fakes, and clocks are passed in."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping

from tests.support.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """The loop of each test in this folder."""
    return {"virtual time": VirtualTimeLoop}
