"""Which namespaces a caller is shown."""

from __future__ import annotations

import asyncio

import pytest

from makima.services.access import remembered
from makima.services.access.identity import Identity
from makima.services.access.rbac import Access, Rbac
from makima.services.access.visibility import Scope, Visibility

KNOWN = frozenset({"red", "green", "blue"})


class Reviews:
    """RBAC that grants these (verb, namespace) pairs; "" is a cluster-wide grant."""

    def __init__(self, *granted: tuple[str, str]) -> None:
        self.granted, self.asked = set(granted), []
        self.answers = asyncio.Event()
        self.answers.set()

    async def allowed(self, identity: Identity, access: Access) -> bool:
        self.asked.append(access)
        await self.answers.wait()
        return bool({(access.verb, access.namespace), (access.verb, "")} & self.granted)


def visibility(*granted: tuple[str, str]) -> tuple[Visibility, Reviews]:
    async def known() -> frozenset[str]:
        return KNOWN

    reviews = Reviews(*granted)
    return Visibility(Rbac(reviews), known), reviews


SCOPES = [
    ([("list", "")], frozenset(), Scope(everywhere=True)),
    ([("list", "")], frozenset({"red"}), Scope(namespaces=frozenset({"red"}))),
    ([("list", "red"), ("list", "blue")], frozenset(), Scope(namespaces=frozenset({"red", "blue"}))),
    ([("list", "red")], frozenset({"red", "green"}), Scope(namespaces=frozenset({"red"}))),
    ([("list", "new")], frozenset({"new"}), Scope(namespaces=frozenset({"new"}))),
    ([("batch", "")], frozenset(), Scope()),
    ([], frozenset(), Scope()),
]


@pytest.mark.parametrize(("granted", "wanted", "expected"), SCOPES)
async def test_a_caller_sees_where_the_verb_is_held(
    granted: list[tuple[str, str]], wanted: frozenset[str], expected: Scope
) -> None:
    found, _ = visibility(*granted)
    assert await found.scope(Identity("ann", key="ann"), wanted=wanted) == expected


async def test_one_question_is_enough_for_whoever_may_everywhere() -> None:
    found, reviews = visibility(("list", ""))
    await found.scope(Identity("ann", key="ann"))
    assert reviews.asked == [Access("list", "contracts", "", "")]


async def test_what_one_caller_may_says_nothing_about_another() -> None:
    found, reviews = visibility(("list", ""))
    await found.scope(Identity("ann", key="ann"))
    reviews.granted.clear()
    assert await found.scope(Identity("bob", key="bob")) == Scope()


@pytest.mark.parametrize(("namespace", "admitted"), [("red", True), ("green", False)])
def test_a_scope_admits_its_namespaces_only(namespace: str, admitted: bool) -> None:
    assert Scope(namespaces=frozenset({"red"})).admits(namespace) is admitted
    assert Scope(everywhere=True).admits(namespace)


async def test_a_no_of_a_moment_ago_is_not_waited_for_and_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "REFUSED_SECONDS", 0.0)
    found, reviews = visibility(("list", "red"))
    ann, red = Identity("ann", key="ann"), Scope(namespaces=frozenset({"red"}))
    assert await found.scope(ann) == red
    reviews.granted.add(("list", "blue"))
    reviews.answers.clear()
    async with asyncio.timeout(10):
        assert await found.scope(ann) == red, "nobody answers, and nobody is waited for"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(found.scope(ann, "batch"), 0.05)
        reviews.answers.set()
        while await found.scope(ann) == red:
            await asyncio.sleep(0)
    assert await found.scope(ann) == Scope(namespaces=frozenset({"red", "blue"}))


async def test_a_yes_is_never_given_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "CACHED_SECONDS", 0.0)
    found, reviews = visibility(("list", "red"))
    ann = Identity("ann", key="ann")
    assert await found.scope(ann) == Scope(namespaces=frozenset({"red"}))
    reviews.granted.clear()
    assert await found.scope(ann) == Scope()
