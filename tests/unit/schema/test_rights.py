"""What the code asks the API server for, call by call, beside what its account may do: nothing missing, nothing unused.

Every adapter that a process uses is called here, method by method, with a connection that only writes down. A method
of it that nobody calls here is an error too, so that a new one can't be forgotten.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from makima.adapters.kubernetes.access_review import KubernetesAccessReviews
from makima.adapters.kubernetes.carried import KubernetesCarried
from makima.adapters.kubernetes.contracts import KubernetesCluster
from makima.adapters.kubernetes.events import KubernetesEvents
from makima.adapters.kubernetes.jobs import KubernetesJobs
from makima.adapters.kubernetes.lease import Lease
from makima.adapters.kubernetes.pods import KubernetesPods
from makima.adapters.kubernetes.schema_check import check_schema
from makima.adapters.kubernetes.supervisors import KubernetesSupervisors
from makima.adapters.kubernetes.token_review import KubernetesTokenReviews
from makima.adapters.kubernetes.volumes import KubernetesVolumes
from makima.adapters.kubernetes.watch_probe import WatchProbe
from makima.adapters.validators.http import resolve
from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.errors import ClusterUnavailable, MakimaError, NotFound
from makima.models.gate import HttpValidator
from makima.schema import SCHEMA_VERSION
from makima.schema.needed import needed_objects
from makima.schema.rbac import Rule, api_rules, lease_rules, operator_rules
from makima.services.access.identity import Identity
from makima.services.access.rbac import Access

Right = tuple[str, str, str]
"""(verb, API group, resource or resource/subresource)."""

BODY: dict[str, Any] = {"metadata": {"namespace": "ns", "name": "a", "uid": "u", "resourceVersion": "1"}, "status": {}}
NAMED = ("ns", "a")
PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)(?:/namespaces/[^/]+)?/(?P<kind>[a-z]+)(?:/(?P<name>[^/]+))?(?:/(?P<part>\w+))?$"
)
CHECKED_BY_POLICY: frozenset[Right] = frozenset({("propagate", "makima.dev", "supervisors")})
"""A verb that no call has: the policy operator-pods asks for it of whoever makes a pod with makima's label."""


class Written:
    """A connection that writes calls down, and answers with an object that has everything."""

    def __init__(self) -> None:
        self.rights: set[Right] = set()
        self.empty = False

    async def request(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        self.rights.add(right_of(method, path, more.get("query")))
        if self.empty and method == "GET":
            raise NotFound("nothing is there")
        status = {"allowed": True, "authenticated": True, "user": {"username": "u"}}
        return {**BODY, "status": status, "spec": {}, "items": []}

    async def open(self, method: str, path: str, **more: Any) -> Any:
        self.rights.add(right_of(method, path, more.get("query")))
        raise ClusterUnavailable("nothing is there")


def right_of(method: str, path: str, query: Any) -> Right:
    """What RBAC is asked for with this call."""
    found = PATH.match(path)
    assert found is not None, path
    resource = found["kind"] + (f"/{found['part']}" if found["part"] else "")
    read = "get" if found["name"] else "list"
    if method == "GET" and dict(query or {}).get("watch"):
        read = "watch"
    verb = {"GET": read, "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[method]
    return verb, found["group"] or "", resource


def held(rules: Iterable[Rule]) -> set[Right]:
    return {
        (verb, group, resource)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


async def call_every(adapter: object, calls: dict[str, tuple[Any, ...]], left_out: Iterable[str] = ()) -> None:
    """Call these methods; all public ones of the adapter have to be among them or named as left out."""
    public = {name for name, _ in inspect.getmembers(type(adapter), inspect.iscoroutinefunction) if name[0] != "_"}
    assert public == {*calls, *left_out}, f"{type(adapter).__name__} has methods that this test does not know"
    for name, arguments in calls.items():
        method: Callable[..., Awaitable[Any]] = getattr(adapter, name)
        with suppress(MakimaError, KeyError, ValueError):
            await method(*arguments)


async def publish_twice(connection: Any) -> None:
    """An Event, and its repeat, which is folded into it."""
    events = KubernetesEvents(connection, "tests")
    events.start()
    for _ in range(2):
        events.publish(BODY, Notice(EventReason.PAUSED, "text"), datetime.now(UTC))
    await events.close()


async def take_hold_and_release(connection: Any) -> None:
    """The whole life of a leader, with a Lease, and with none."""
    connection.empty = True
    await Lease(connection, "ns", "a", "me", 1).acquire()
    connection.empty = False
    lease = Lease(connection, "ns", "a", "me", 1)
    await lease.acquire()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await lease.hold(lambda _: None)
    await lease.release()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await WatchProbe(connection, lease.path, 60).run()


async def operators_calls(connection: Any) -> None:
    cluster_calls = {
        "contract": NAMED,
        "contract_type": NAMED,
        "write_status": (BODY,),
        "delete_contract": (_key(), "1"),
        "list_contract_versions": (),
    }
    await call_every(KubernetesCluster(connection), cluster_calls)
    supervisors = {
        "supervisor": NAMED,
        "list_supervisor_versions": (),
        "create_supervisor": (BODY,),
        "replace_supervisor": (BODY,),
        "write_status": (BODY,),
    }
    await call_every(KubernetesSupervisors(connection), supervisors)
    pods = {"create_pod": (BODY,), "delete_pod": (*NAMED, "u"), "pod": NAMED, "list_pods": ()}
    await call_every(KubernetesPods(connection), pods)
    jobs = {"job": NAMED, "create_job": (BODY,), "delete_job": (*NAMED, "u"), "list_jobs": (), "last_words": NAMED}
    await call_every(KubernetesJobs(connection), jobs)
    await call_every(KubernetesVolumes(connection), {"create_claim": (BODY,)})
    await shared_calls(connection)
    await take_hold_and_release(connection)
    with suppress(MakimaError):
        await check_schema(connection, needed_objects(), SCHEMA_VERSION)
    for group, plural in (
        *((MAKIMA, kind) for kind in ("contracts", "contracttypes", "supervisors")),
        ("", "pods"),
        ("batch", "jobs"),
    ):
        connection.rights |= {(verb, group, plural) for verb in ("list", "watch")}  # kopf's, by handlers/


MAKIMA = "makima.dev"


async def apis_calls(connection: Any) -> None:
    calls = {"contract": NAMED, "supervisor": NAMED, "write_status": (BODY,)}
    await call_every(
        KubernetesCarried(connection), calls, left_out=("contract_type", "delete_contract", "list_contract_versions")
    )
    await call_every(KubernetesTokenReviews(connection, "makima.dev"), {"review": ("token",)})
    await call_every(
        KubernetesAccessReviews(connection), {"allowed": (Identity("u"), Access("get", "contracts", "ns", "a"))}
    )
    await shared_calls(connection)


async def shared_calls(connection: Any) -> None:
    await publish_twice(connection)
    with suppress(Exception):
        await resolve(connection, "ns", HttpValidator.model_validate({"service": "checks", "port": 80, "path": "/"}))


def _key() -> Any:
    from makima.ports import ObjectKey

    return ObjectKey("ns", "a", "u")


@pytest.mark.parametrize(
    ("calls", "rules"),
    [(operators_calls, [*operator_rules(), *lease_rules()]), (apis_calls, api_rules())],
    ids=["operator", "api"],
)
async def test_an_account_may_do_what_its_code_does_and_nothing_else(
    calls: Callable[[Any], Awaitable[None]], rules: list[Rule]
) -> None:
    connection = Written()
    await calls(connection)
    may = held(rules) - CHECKED_BY_POLICY
    assert connection.rights - may == set(), "the code calls what the account may not do"
    assert may - connection.rights == set(), "the account may do what no code calls"
