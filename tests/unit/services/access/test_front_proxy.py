"""Whom the cluster calls its front proxy, and whom that names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.errors import ClusterUnavailable
from makima.services.access.front_proxy import FrontProxy, NoFrontProxy
from makima.services.access.front_proxy_follow import FrontProxyFollow

POD = "3b1f8f0e-6c0f-4c55-8e7e-3d7b2f0d0c11"


def data(**changed: str) -> dict[str, str]:
    """What a kube-apiserver writes."""
    usual = {
        "requestheader-client-ca-file": "-----BEGIN CERTIFICATE-----",
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-username-headers": '["X-Remote-User"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        "requestheader-uid-headers": '["X-Remote-Uid"]',
    }
    return {**usual, **{f"requestheader-{key.replace('_', '-')}": value for key, value in changed.items()}}


def headers(*pairs: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in pairs]


def test_a_caller_is_named_with_all_that_rbac_looks_at() -> None:
    found = FrontProxy.from_config_map(data()).identity(
        headers(
            ("X-Remote-User", "dana"),
            ("X-Remote-Uid", "42"),
            ("X-Remote-Group", "people"),
            ("X-Remote-Group", "system:authenticated"),
            ("X-Remote-Extra-Scopes", "a"),
            ("X-Remote-Extra-Scopes", "b"),
            ("X-Remote-Extra-Authentication.kubernetes.io%2fpod-Uid", POD),
        )
    )
    assert found is not None
    assert (found.user, found.uid, found.groups) == ("dana", "42", ("people", "system:authenticated"))
    assert found.extra == {"scopes": ("a", "b"), "authentication.kubernetes.io/pod-uid": (POD,)}
    assert str(found.pod_uid) == POD
    assert found.key


@pytest.mark.parametrize(
    "sent",
    [
        [],
        headers(("X-Remote-User", "")),
        headers(("X-Remote-Group", "system:masters")),
        headers(("X-Other-User", "admin")),
        headers(("X-Remote-User", "dana"), ("X-Remote-Extra-Authentication.kubernetes.io%2fpod-uid", "no-uid")),
        [(b"x-remote-user", b"\xff\xfe")],
    ],
)
def test_who_is_not_named_is_nobody(sent: list[tuple[bytes, bytes]]) -> None:
    assert FrontProxy.from_config_map(data()).identity(sent) is None


def test_the_names_of_the_headers_are_the_clusters() -> None:
    proxy = FrontProxy.from_config_map(
        data(username_headers='["X-Who", "X-Who-Else"]', group_headers='["X-Where"]', uid_headers="[]")
    )
    found = proxy.identity(headers(("X-Remote-User", "admin"), ("X-Who-Else", "dana"), ("X-Where", "here")))
    assert found is not None
    assert (found.user, found.uid, found.groups) == ("dana", "", ("here",))


@pytest.mark.parametrize(
    ("names", "name", "admitted"),
    [
        ('["front-proxy-client"]', "front-proxy-client", True),
        ('["front-proxy-client"]', "other", False),
        ('["front-proxy-client"]', None, False),
        ("[]", "anybody", True),
        ('["a", "b"]', "b", True),
    ],
)
def test_which_certificate_is_the_front_proxys(names: str, name: str | None, admitted: bool) -> None:
    assert FrontProxy.from_config_map(data(allowed_names=names)).admits(name) is admitted


@pytest.mark.parametrize(
    "changed",
    [
        {"client_ca_file": ""},
        {"username_headers": "[]"},
        {"username_headers": "X-Remote-User"},
        {"allowed_names": '{"a": 1}'},
        {"allowed_names": "[1]"},
        {"group_headers": "["},
    ],
)
def test_what_can_not_be_read_makes_nobody_the_front_proxy(changed: dict[str, str]) -> None:
    with pytest.raises(NoFrontProxy):
        FrontProxy.from_config_map(data(**changed))


@given(st.dictionaries(st.sampled_from(sorted(data())), st.text(max_size=40)))
def test_any_text_is_a_front_proxy_or_none(changed: dict[str, str]) -> None:
    try:
        found = FrontProxy.from_config_map({**data(), **changed})
    except NoFrontProxy:
        return
    assert found.authorities
    assert found.user_headers


NAMES = st.sampled_from(
    [b"x-remote-user", b"x-remote-group", b"x-remote-uid", b"x-remote-extra-", b"x-remote-extra-%2"]
)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=8))
def test_any_headers_name_somebody_or_nobody(sent: list[tuple[bytes, bytes]]) -> None:
    found = FrontProxy.from_config_map(data()).identity(sent)
    assert found is None or found.user


class Answers:
    """A ConfigMap that changes, and an API server that is away at times."""

    def __init__(self, *answers: Mapping[str, str] | Exception) -> None:
        self._answers = list(answers)

    async def read(self) -> Mapping[str, str]:
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(found, Exception):
            raise found
        return found


async def test_a_change_is_followed_and_an_outage_is_none() -> None:
    told: list[frozenset[str] | None] = []
    other = data(allowed_names=json.dumps(["other"]))
    source = Answers(ClusterUnavailable("away"), data(), ClusterUnavailable("away"), other, {})
    follow = FrontProxyFollow(source, 60, lambda proxy: told.append(proxy.names if proxy is not None else None))
    for _ in range(5):
        await follow.look()
    assert told == [None, {"front-proxy-client"}, {"front-proxy-client"}, {"other"}, None]


async def test_it_looks_again_and_again_also_after_an_error_of_its_own() -> None:
    enough, looks = asyncio.Event(), 0

    def look(proxy: FrontProxy | None) -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise RuntimeError("once")
        enough.set()

    follow = FrontProxyFollow(Answers(data()), 0.001, look)
    follow.start()
    await asyncio.wait_for(enough.wait(), 60)
    await follow.stop()
