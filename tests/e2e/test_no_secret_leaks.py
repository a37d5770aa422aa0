"""A whole life with marked secrets, in pods of a real node; then every place that one could have leaked to is read."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.e2e.marked_life import ANSWER, Life, Seen, live
from tests.e2e.release import node_for_a_release

pytestmark = [pytest.mark.timeout(1500), pytest.mark.exhaustive]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A node, the release, and all that happens."""
    with node_for_a_release("leaks-e2e", tmp_path_factory.mktemp("leaks")) as release:
        found = Life(release)
        found.install()
        live(found)
        yield found


def read_everything(life: Life) -> Seen:
    """Logs, Events, status of every object, exports, metrics, bodies of errors."""
    seen, release = Seen(dict(life.answers.texts)), life.release
    for tool in (release.system, release.work):
        for pod in json.loads(tool.run("get", "pods", "-o", "json"))["items"]:
            name = pod["metadata"]["name"]
            parts = [part["name"] for kind in ("initContainers", "containers") for part in pod["spec"].get(kind, ())]
            for part in parts:
                seen.add(f"log of {name}/{part}", tool.run("logs", name, "-c", part))
                with suppress(AssertionError):  # it was never started again
                    seen.add(f"log of {name}/{part} before", tool.run("logs", name, "-c", part, "--previous"))
    seen.add("Events", release.system.run("get", "events", "-A", "-o", "json"), "given-up")
    for kind in release.system.run("api-resources", "--verbs=list", "-o", "name").split():
        with suppress(AssertionError):  # monitor.makima.dev lists for people only
            items = json.loads(release.system.run("get", kind, "-A", "-o", "json"))["items"]
            seen.add(f"status of {kind}", json.dumps([item.get("status") for item in items]))
    export = "/apis/monitor.makima.dev/v1alpha1/namespaces/work/contracts/{}/export"
    for name in ("carried", "given-up"):
        seen.add(f"export of {name}", release.system.run("get", "--raw", export.format(name)), "(hidden)")
    for component, port in (("operator", 9090), ("api", 9091)):
        for pod in release.pods(component):
            with urllib.request.urlopen(f"http://{pod['status']['podIP']}:{port}/metrics", timeout=30) as answer:
                seen.add(f"metrics of {pod['metadata']['name']}", answer.read().decode(), "# HELP")
    return seen


def test_no_secret_is_in_logs_events_status_exports_metrics_or_errors(
    life: Life, measured: Callable[[str], None]
) -> None:
    seen = read_everything(life)
    assert "given up" in seen.texts["Events"] or "Failed" in seen.texts["Events"]
    assert '"Completed"' in seen.texts["status of contracts.makima.dev"]
    assert any("log of makima-operator" in where and "leading as" in text for where, text in seen.texts.items())
    assert any("log of makima-api" in where and "Postgres" in text for where, text in seen.texts.items())
    assert len(life.marks) >= 7
    assert {f"error body, a list, Postgres {when}" for when in ("away", "refused")} <= set(seen.texts)
    assert seen.leaks(life.marks) == []
    assert seen.leaks({"answer": ANSWER}, without=("export", "status of contracts")) == []
    size = sum(map(len, seen.texts.values()))
    measured(f"{len(life.marks)} secrets looked for in {len(seen.texts)} places, {size / 1e6:.1f} MB of text")


def test_what_is_looked_for_would_be_found(life: Life) -> None:
    seen = Seen({"log of a pod": f"connecting to postgresql://u:{life.marks['password']}@db"})
    assert seen.leaks(life.marks) == ["password in log of a pod"]
    assert life.marks["literal"] in life.release.work.run("get", "contract", "carried", "-o", "json")
