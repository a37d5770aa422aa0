"""Every route, in the order in which paths are matched."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter

from makima.http.supervisors import life_routes, reading_routes
from makima.http.use_cases import UseCases
from makima.http.work import work_routes


def every_router(use: UseCases) -> Iterator[APIRouter]:
    """The routers of what is switched on.

    Fixed paths (`/api/v1/contracts/dashboard`) have to come before those with an `{id}` in the same place.
    """
    if use.supervision is not None:
        yield life_routes(use.supervision)
        yield reading_routes(use)
        yield work_routes(use.supervision)
