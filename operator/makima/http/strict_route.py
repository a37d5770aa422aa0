"""Routes that take no query parameter which they do not know: a filter with a typing error would show everything."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from makima.models.wire.problem import Code
from makima.services.refusals import refusal

SHOWN = 64


class StrictRoute(APIRoute):
    """A route of people."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind a look at the names of the parameters."""
        handle = super().get_route_handler()
        known = frozenset(_parameters(self.dependant))

        async def strictly(request: Request) -> Response:
            for name in request.query_params:
                if name not in known:
                    takes = ", ".join(sorted(known)) or "none"
                    raise refusal(
                        Code.VALIDATION_FAILED,
                        f"{name[:SHOWN]}: there is no such parameter",
                        field=name[:SHOWN],
                        hint=f"this call takes {takes}",
                    )
            return await handle(request)

        return strictly


def _parameters(dependant: Dependant) -> Iterator[str]:
    """Names of the query parameters of a call and of everything that it depends on."""
    yield from (field.alias for field in dependant.query_params)
    for needed in dependant.dependencies:
        yield from _parameters(needed)
