"""Paths of the aggregated API are those of REST, taken apart as the API server takes them apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.http.kubernetes_paths import REST, ROOT, RestCall, rest_call

UID = "7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11"

PATHS = {
    "/contracts": ("", ""),
    f"/contracts/{UID}/events": (f"/{UID}/events", ""),
    "/contracts/team:work/export": ("/team:work/export", ""),
    "/dashboard": ("/dashboard", ""),
    "/batch": ("/batch", ""),
    "/batch/report": ("/batch/report", ""),
    "/namespaces/team/batch/report": ("/batch/report", ""),
    "/namespaces/team/contracts": ("", "namespace=team"),
    "/namespaces/team/contracts/work": ("/team:work", ""),
    "/namespaces/team/contracts/work/supervisor/status": ("/team:work/supervisor/status", ""),
    f"/namespaces/team/contracts/{UID}/events": (f"/{UID}/events", ""),
    "/namespaces/team/contracts/monitor": ("/team:monitor", ""),
    "/namespaces/team/dashboard": ("/dashboard", "namespace=team"),
}


@pytest.mark.parametrize("path", PATHS)
def test_each_path_has_its_twin(path: str) -> None:
    rest, query = PATHS[path]
    assert rest_call(ROOT + path, b"") == RestCall(REST + rest, query.encode())


NOWHERE = [
    "",
    "/",
    "/nodes",
    "/contracts/",
    "/contracts//x",
    "/contracts/../batch",
    "/contracts/./x",
    "/namespaces",
    "/namespaces/team",
    "/namespaces/Team/contracts",
    "/namespaces/a:b/contracts/x",
    "/namespaces/team/contracts/a:b",
    "/namespaces/team/contracts/../x",
    "/namespaces/team/nodes",
    "/dashboard/x",
    "/watch/contracts",
]


@pytest.mark.parametrize("path", NOWHERE)
def test_other_paths_have_none(path: str) -> None:
    assert rest_call(ROOT + path, b"") is None


@pytest.mark.parametrize("path", ["/api/v1/contracts", "/apis/makima.dev/v1alpha1/contracts", "/openapi.json", ""])
def test_paths_of_others_have_none(path: str) -> None:
    assert rest_call(path, b"") is None


@pytest.mark.parametrize(
    ("query", "passed"),
    [
        (b"namespace=other&limit=3", b"namespace=team&limit=3"),
        (b"name%73pace=other", b"namespace=team"),
        (b"status=active&status=paused", b"namespace=team&status=active&status=paused"),
        (b"q=a%26namespace%3Dother", b"namespace=team&q=a%26namespace%3Dother"),
    ],
)
def test_the_namespace_of_the_path_is_the_only_one(query: bytes, passed: bytes) -> None:
    found = rest_call(f"{ROOT}/namespaces/team/contracts", query)
    assert found is not None
    assert found.query == passed


@pytest.mark.parametrize(
    ("path", "query", "stream", "watch"),
    [
        ("/monitor", b"watch=true", True, True),
        ("/namespaces/team/monitor", b"after=3&watch=1", True, True),
        ("/monitor", b"", True, False),
        ("/monitor", b"watch=false", True, False),
        ("/contracts/monitor", b"watch=true", True, False),  # the API server sees a get of one object
        ("/contracts", b"watch=true", False, False),
    ],
)
def test_what_may_stay_open(path: str, query: bytes, stream: bool, watch: bool) -> None:
    found = rest_call(ROOT + path, query)
    assert found is not None
    assert (found.stream, found.watch) == (stream, watch)


@pytest.mark.parametrize(
    ("rest", "by_supervisors"),
    [
        ("supervisor/heartbeat", True),
        ("supervisor/state", True),
        ("supervisor/sync", False),
        ("supervisor/restart", False),
        ("advance", False),
    ],
)
def test_what_belongs_to_supervisors(rest: str, by_supervisors: bool) -> None:
    found = rest_call(f"{ROOT}/namespaces/team/contracts/work/{rest}", b"")
    assert found is not None
    assert found.by_supervisors is by_supervisors


PARTS = st.lists(
    st.sampled_from(["namespaces", "team", "contracts", "work", UID, "..", ".", "", "monitor", "batch", "a:b", "x%2fy"])
    | st.text(max_size=5),
    max_size=6,
)


@given(PARTS, st.binary(max_size=40))
def test_nothing_leads_out_of_contracts(parts: list[str], query: bytes) -> None:
    found = rest_call("/".join((ROOT, *parts)), query)
    assert found is None or found.path == REST or found.path.startswith(f"{REST}/")
    assert found is None or not {"", ".", ".."} & set(found.path[1:].split("/"))
