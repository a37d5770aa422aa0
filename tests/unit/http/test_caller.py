"""Who calls, told by a token or by the front proxy; never by a header of the client's own."""

from __future__ import annotations

import pytest
from starlette.types import Scope

from makima.http.caller import VERIFIED, person_of
from makima.services.access.authentication import Authentication
from makima.services.access.identity import Identity, identity_named
from makima.services.refusals import Refused


class OneToken:
    """Knows one token."""

    async def review(self, token: str) -> Identity | None:
        return Identity("dana") if token == "good" else None


def scope(*headers: tuple[bytes, bytes], **more: object) -> Scope:
    return {"type": "http", "headers": list(headers), **more}


async def test_a_token_says_who_calls() -> None:
    found = await person_of(scope((b"authorization", b"Bearer good")), Authentication(OneToken()))
    assert found.identity.user == "dana"
    assert found.credential is not None


async def test_what_the_front_proxy_said_is_believed() -> None:
    proxied = {VERIFIED: Identity("ravi")}
    found = await person_of(scope(**proxied), Authentication(OneToken()))
    assert (found.identity.user, found.credential) == ("ravi", None)


@pytest.mark.parametrize(
    "headers",
    [
        ((b"x-remote-user", b"admin"), (b"x-remote-group", b"system:masters")),
        ((VERIFIED.encode(), b"admin"),),
        ((b"authorization", b"Bearer bad"), (b"x-remote-user", b"admin")),
    ],
)
async def test_headers_of_a_client_make_it_nobody(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(Refused, match="UNAUTHENTICATED"):
        await person_of(scope(*headers), Authentication(OneToken()))


def test_a_renewed_token_stays_the_same_identity() -> None:
    first, second = ({"authentication.kubernetes.io/credential-id": (f"JTI={n}",)} for n in "ab")
    assert identity_named("dana", "1", ("a",), first).key == identity_named("dana", "1", ("a",), second).key
    assert identity_named("dana", "1", ("a",), {}).key != identity_named("dana", "1", ("b",), {}).key
