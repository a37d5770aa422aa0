"""Who calls, what they may do, and how long that is believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import pytest

from makima.errors import ClusterUnavailable, HistoryUnavailable, Superseded
from makima.models.supervision import Session
from makima.models.wire.problem import Code
from makima.services.access import remembered
from makima.services.access.authentication import Authentication
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.access.rbac import EVERY, Access, Rbac
from makima.services.access.session_cache import SessionCache
from makima.services.refusals import Refused, refused_by
from tests.support.fake_supervision import FakeSupervision

AGENT = Identity("system:serviceaccount:ns:agent", key="agent")


@dataclass
class Reviews:
    """An API server that knows some tokens and rights, and counts what it is asked."""

    tokens: dict[str, Identity] = field(default_factory=dict)
    rights: set[tuple[str, str]] = field(default_factory=set)
    asked: list[object] = field(default_factory=list)
    away: bool = False
    hangs: bool = False

    async def _reach(self, what: object) -> None:
        self.asked.append(what)
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise ClusterUnavailable("away")

    async def review(self, token: str) -> Identity | None:
        await self._reach(token)
        return self.tokens.get(token)

    async def allowed(self, identity: Identity, access: Access) -> bool:
        await self._reach(access)
        return (identity.key, access.name) in self.rights


async def code_of(call: Awaitable[object]) -> Code | None:
    """The code that a call is refused with; None if it is not."""
    try:
        await call
    except (Refused, Superseded) as error:
        return refused_by(error).problem.code
    return None


async def test_a_token_is_reviewed_once_however_many_call_with_it() -> None:
    reviews = Reviews(tokens={"good": AGENT})
    authentication = Authentication(reviews)
    assert authentication.known(b"Bearer good") is None
    found = await asyncio.gather(*(authentication.identity(b"Bearer good") for _ in range(50)))
    assert set(map(id, found)) == {id(AGENT)}
    assert reviews.asked == ["good"]
    assert authentication.known(b"bearer good") is AGENT


@pytest.mark.parametrize(
    "header", [None, b"", b"Basic abc", b"Bearer ", b"Bearer wrong", b"Bearer \xff", b"Bearer " + b"x" * 20_000]
)
async def test_what_is_no_good_token_is_refused_and_not_asked_for_again_at_once(header: bytes | None) -> None:
    reviews = Reviews()
    authentication = Authentication(reviews)
    for _ in range(3):
        assert await code_of(authentication.identity(header)) is Code.UNAUTHENTICATED
    assert len(reviews.asked) <= 1


async def test_a_yes_is_believed_for_its_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "CACHED_SECONDS", 0.02)
    reviews = Reviews(tokens={"good": AGENT})
    authentication = Authentication(reviews)
    await authentication.identity(b"Bearer good")
    del reviews.tokens["good"]
    async with asyncio.timeout(5):
        while await code_of(authentication.identity(b"Bearer good")) is None:
            await asyncio.sleep(0.005)
    assert len(reviews.asked) == 2


async def test_no_answer_is_a_503_is_not_remembered_and_makes_the_check_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "ANSWER_SECONDS", 0.02)
    reviews = Reviews(tokens={"good": AGENT}, hangs=True)
    authentication = Authentication(reviews)
    assert await code_of(authentication.identity(b"Bearer good")) is Code.UNAVAILABLE
    reviews.hangs, reviews.away = False, True
    assert await code_of(authentication.identity(b"Bearer good")) is Code.UNAVAILABLE
    reviews.away = False
    with pytest.raises(ClusterUnavailable):
        await authentication.check()  # some callers could not be told apart since the last one
    await authentication.check()
    assert (await authentication.identity(b"Bearer good")) is AGENT


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "REMEMBERED", 10)
    authentication = Authentication(Reviews())
    for number in range(50):
        await code_of(authentication.identity(f"Bearer token-{number}".encode()))
    assert len(authentication._known._known) == 10
    assert not authentication._known._asked


class Rights:
    """Authorization over fakes."""

    def __init__(self) -> None:
        self.reviews, self.store = Reviews(), FakeSupervision()
        self.cache = SessionCache(self.store)
        self.rights = Authorization(Rbac(self.reviews), self.cache)

    def session(self, *, pod: UUID | None = None, registered: bool = True, incarnation: int = 1) -> Session:
        registration = uuid4() if registered else None
        return self.store.add(
            Session(uuid4(), uuid4(), "ns", "work", incarnation, registration_id=registration, pod_uid=pod)
        )

    async def code(self, who: Identity, session: Session, incarnation: int | None = None) -> Code | None:
        number = session.incarnation if incarnation is None else incarnation
        return await code_of(self.rights.carrier(who, session.contract_id, number))


@pytest.fixture
async def rights() -> AsyncIterator[Rights]:
    made = Rights()
    yield made
    await made.cache.stop()


POD = uuid4()
MY_POD = Identity("system:serviceaccount:ns:agent", pod_uid=POD, key="pod")
OTHER_POD = Identity("system:serviceaccount:ns:agent", pod_uid=uuid4(), key="other")
FOREIGN_POD = Identity("system:serviceaccount:elsewhere:agent", pod_uid=uuid4(), key="foreign")

TABLE: list[tuple[str, Identity, dict[str, object], int, Code | None]] = [
    ("its own pod", MY_POD, {"pod": POD}, 2, None),
    ("its own pod, not registered yet", MY_POD, {"pod": POD, "registered": False}, 2, None),
    ("another pod", OTHER_POD, {"pod": POD}, 2, Code.FORBIDDEN),
    ("the pod of the life before", OTHER_POD, {"pod": POD}, 1, Code.SUPERSEDED),
    ("a pod of another namespace, with an old life", FOREIGN_POD, {"pod": POD}, 1, Code.FORBIDDEN),
    ("a person, where a pod carries", AGENT, {"pod": POD}, 2, Code.FORBIDDEN),
    ("a pod, where nobody's pod carries", MY_POD, {}, 2, Code.FORBIDDEN),
    ("a person with the right", AGENT, {}, 2, None),
    ("a person with the right, in an old life", AGENT, {}, 1, Code.SUPERSEDED),
    ("a person with the right, before registering", AGENT, {"registered": False}, 2, Code.FORBIDDEN),
    ("a person without the right", replace(AGENT, key="nobody"), {}, 2, Code.FORBIDDEN),
]


@pytest.mark.parametrize(("who", "row", "incarnation", "code"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
async def test_who_may_act_for_a_supervisor(
    rights: Rights, who: Identity, row: dict[str, object], incarnation: int, code: Code | None
) -> None:
    rights.reviews.rights = {("agent", "work")}
    session = rights.session(incarnation=2, **row)  # type: ignore[arg-type]
    assert await rights.code(who, session, incarnation) is code
    assert not rights.rights.quick(who).may(session.contract_id, 1)
    if code is not None:
        assert not rights.rights.quick(who).may(session.contract_id, 2) or incarnation == 1


async def test_one_question_is_enough_for_a_fleet_with_a_right_on_the_namespace(rights: Rights) -> None:
    rights.reviews.rights = {("agent", EVERY)}
    sessions = [rights.session() for _ in range(100)]
    assert [await rights.code(AGENT, session) for session in sessions] == [None] * 100
    assert len(rights.reviews.asked) == 1
    assert all(rights.rights.quick(AGENT).may(session.contract_id, 1) for session in sessions)


async def test_nothing_is_decided_while_the_api_server_is_away_and_the_check_says_so_once(rights: Rights) -> None:
    rights.rights.rbac.check()
    rights.reviews.away = True
    assert await rights.code(AGENT, rights.session()) is Code.UNAVAILABLE
    with pytest.raises(ClusterUnavailable):
        rights.rights.rbac.check()
    rights.rights.rbac.check()


async def test_a_stale_session_neither_lets_in_nor_keeps_out(rights: Rights) -> None:
    session = rights.session(pod=POD)
    assert await rights.code(MY_POD, session) is None
    rights.store.add(replace(session, incarnation=2, pod_uid=OTHER_POD.pod_uid))
    assert await rights.code(OTHER_POD, session, 2) is None
    assert await rights.code(MY_POD, session, 2) is Code.FORBIDDEN
    assert await rights.code(MY_POD, session, 1) is Code.SUPERSEDED


async def test_a_life_that_is_known_to_be_over_costs_postgres_nothing_and_is_told_to_nobody_elsewhere(
    rights: Rights,
) -> None:
    session = rights.session(pod=POD, incarnation=3)
    assert await rights.code(MY_POD, session) is None
    rights.store.away = True
    assert await rights.code(OTHER_POD, session, 2) is Code.SUPERSEDED
    with pytest.raises(HistoryUnavailable):
        await rights.code(FOREIGN_POD, session, 2)
    with pytest.raises(HistoryUnavailable):
        await rights.code(MY_POD, session, 4)  # of a life that is not known here yet, only Postgres can tell


async def test_the_current_life_is_read_past_the_cache(rights: Rights) -> None:
    session = rights.session(pod=POD)
    await rights.rights.current(MY_POD, session.contract_id, 1)
    rights.store.add(replace(session, incarnation=2))
    assert rights.rights.quick(MY_POD).may(session.contract_id, 1)
    assert await code_of(rights.rights.current(MY_POD, session.contract_id, 1)) is Code.SUPERSEDED


async def test_a_life_that_begins_is_forgotten_in_the_cache(rights: Rights) -> None:
    session = rights.session()
    rights.cache.start()
    await rights.cache.read(session.contract_id)
    rights.store.lives.put_nowait(session.contract_id)
    async with asyncio.timeout(5):
        while rights.cache.known(session.contract_id) is not None:
            await asyncio.sleep(0.005)
