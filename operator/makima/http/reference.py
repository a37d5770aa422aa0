"""The OpenAPI document without a process: what `docs/reference/api.md` is made of."""

from __future__ import annotations

from functools import cache
from typing import Any, Self, cast

from makima.domain.settings import Settings
from makima.http.app import framework
from makima.http.use_cases import UseCases


class _Undefined:
    """Stands where use cases would be: routes look at them when they are called, and nobody calls."""

    settings = Settings()

    def __getattr__(self, name: str) -> Self:
        return self


@cache
def document() -> dict[str, Any]:
    """The document with every feature switched on: one for all, for reading only."""
    return framework(cast("UseCases", _Undefined())).openapi()
