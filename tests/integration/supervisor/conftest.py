"""The API double, and where it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from makima.supervisor import Place
from tests.support.api_double import ApiDouble
from tests.support.wrapper_process import StartWrapper, wrappers


@pytest.fixture
async def api() -> AsyncIterator[ApiDouble]:
    """The API service in memory, for the contract `here/work`."""
    async with ApiDouble().serve() as double:
        yield double


@pytest.fixture
def place(api: ApiDouble) -> Place:
    """Where it is."""
    return Place(api_url=api.url, namespace="here", name="work")


@pytest.fixture
def start(api: ApiDouble, tmp_path: Path) -> Iterator[StartWrapper]:
    """Starts `makima supervise` for it, with the command given."""
    with wrappers(api, tmp_path) as starter:
        yield starter
