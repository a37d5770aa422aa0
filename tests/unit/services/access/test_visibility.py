"""Which namespaces a caller is shown."""

from __future__ import annotations

import pytest

from makima.services.access.authorization import Access, Authorization
from makima.services.access.identity import Identity
from makima.services.access.session_cache import SessionCache
from makima.services.access.visibility import Scope, Visibility

KNOWN = frozenset({"red", "green", "blue"})


class Reviews:
    """RBAC that grants these (verb, namespace) pairs; "" is a cluster-wide grant."""

    def __init__(self, *granted: tuple[str, str]) -> None:
        self.granted, self.asked = set(granted), []

    async def allowed(self, identity: Identity, access: Access) -> bool:
        self.asked.append(access)
        return bool({(access.verb, access.namespace), (access.verb, "")} & self.granted)


def visibility(*granted: tuple[str, str]) -> tuple[Visibility, Reviews]:
    async def known() -> frozenset[str]:
        return KNOWN

    reviews = Reviews(*granted)
    return Visibility(Authorization(reviews, SessionCache(None)), known), reviews  # type: ignore[arg-type]  # no session is read


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
