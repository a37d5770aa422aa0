"""The API double, and where it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from makima.supervisor import Place
from tests.support.api_double import ApiDouble


@pytest.fixture
async def api() -> AsyncIterator[ApiDouble]:
    """The API service in memory, for the contract `here/work`."""
    async with ApiDouble().serve() as double:
        yield double


@pytest.fixture
def place(api: ApiDouble) -> Place:
    """Where it is."""
    return Place(api_url=api.url, namespace="here", name="work")
