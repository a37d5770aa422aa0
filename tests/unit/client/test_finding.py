"""In which namespaces somebody may look who may not list namespaces: makima's API tells where contracts are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from makima.client import Person
from makima.client.api import ApiError
from makima.client.finding import Visible, visible
from makima.errors import Denied

PAGES: list[dict[str, Any]] = [
    {"contracts": [{"namespace": "a"}], "next_cursor": "1"},
    {"contracts": [], "next_cursor": "2"},
    {"contracts": [{"namespace": "b"}, {"namespace": "hidden"}], "next_cursor": None},
]


@dataclass
class PlayedCluster:
    """RBAC: contracts may be listed in these namespaces, "" = in all; namespaces themselves may not."""

    allowed: set[str]

    async def may(self, verb: str, plural: str, namespace: str = "", name: str = "") -> bool:
        assert (verb, plural, name) == ("list", "contracts", "")
        return namespace in self.allowed

    async def namespaces(self) -> list[str]:
        raise Denied("namespaces is forbidden", status=403)


@dataclass
class PlayedApi:
    """makima's API, page by page."""

    pages: list[dict[str, Any]] | None
    asked: list[str | None] = field(default_factory=list)

    def collection(self) -> str:
        return "/contracts"

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        self.asked.append(query.get("cursor"))
        if self.pages is None:
            raise ApiError("FORBIDDEN: no", status=403)
        return self.pages[len(self.asked) - 1]


def person(allowed: set[str], pages: list[dict[str, Any]] | None) -> tuple[Person, PlayedApi]:
    api = PlayedApi(pages)
    return Person(PlayedCluster(allowed), api, "c"), api  # type: ignore[arg-type]


async def test_a_short_or_empty_page_is_not_the_end() -> None:
    who, api = person({"a", "b", "c"}, PAGES)
    found = await visible(who)
    assert found.namespaces == ("a", "b", "c"), "and nothing of what RBAC hides"
    assert api.asked == [None, "1", "2"]
    assert found.note is not None and "looked in: a, b, c" in found.note


@pytest.mark.parametrize(("allowed", "looked"), [({"c"}, ("c",)), (set(), ())])
async def test_without_the_api_it_is_the_namespace_of_the_kubeconfig(
    allowed: set[str], looked: tuple[str, ...]
) -> None:
    who, _ = person(allowed, None)
    found = await visible(who)
    assert found.namespaces == looked
    assert found.note is not None and "other namespaces can't be known" in found.note


async def test_who_may_everywhere_is_asked_nothing_more() -> None:
    who, api = person({""}, None)
    assert await visible(who) == Visible(None)
    assert api.asked == []
