"""`makima sandbox` as people use it: it starts, several live side by side, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from makima.sandbox import Sandbox, attach, start
from makima.sandbox.server_process import lives
from tests.support.demo_run import demo

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.timeout(700)]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "makima", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def wait_gone(pids: list[int], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while alive := [pid for pid in pids if lives(pid)]:
        assert time.monotonic() < deadline, f"still running: {alive}"
        time.sleep(0.1)


def pids_of(name: str) -> list[int]:
    found = attach(name)
    assert found is not None
    return [server.pid for server in found.processes if server.pid is not None]


@pytest.fixture
def name(sandbox: Sandbox) -> Iterator[str]:
    """The name of a sandbox of this test's own (the programs are there: the shared sandbox needed them)."""
    name = f"cmd-{os.getpid()}"
    yield name
    found = attach(name)
    if found is not None:
        found.stop()


def test_up_status_env_and_down(name: str) -> None:
    before = datetime.now().astimezone().replace(microsecond=0)
    up = run("sandbox", "up", "--name", name)
    assert up.returncode == 0, up.stderr
    assert "makima sandbox env" in up.stdout
    pids = pids_of(name)
    assert len(pids) == 3
    status = run("sandbox", "status")
    (line,) = (line for line in status.stdout.splitlines() if line.startswith(f"{name}: https://127.0.0.1:"))
    since = datetime.fromisoformat(line.partition("up since ")[2].partition(",")[0])
    assert before <= since <= datetime.now().astimezone()
    exports = run("sandbox", "env", "--name", name).stdout
    shell = f"{exports}\nkubectl get crd contracts.makima.dev -o name && echo ${{MAKIMA_DATABASE_URL:?}}"
    tried = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert "customresourcedefinition.apiextensions.k8s.io/contracts.makima.dev" in tried.stdout, tried.stderr
    again = run("sandbox", "up", "--name", name)
    assert again.returncode == 0, again.stderr
    assert pids_of(name) == pids, "up of what is up changes nothing"
    user = run("sandbox", "user", "dana", "--group", "developers", "--name", name)
    assert Path(user.stdout.strip()).exists()
    down = run("sandbox", "down", "--name", name)
    assert down.returncode == 0
    wait_gone(pids)
    assert attach(name) is None


def test_a_sandbox_that_is_not_there_says_how_to_start_it() -> None:
    done = run("sandbox", "env", "--name", "nowhere")
    assert (done.returncode, done.stderr) == (
        1,
        "error: sandbox nowhere does not run\n  next: makima sandbox up --name nowhere\n",
    )


def test_a_sandbox_ends_with_the_process_that_it_is_for_even_if_that_is_killed(name: str) -> None:
    code = f"import os, time; from makima.sandbox import start; start({name!r}, ends_with=os.getpid()); time.sleep(600)"
    owner = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while (found := attach(name)) is None or not found.running:
        assert time.monotonic() < deadline, "the sandbox did not start"
        assert owner.poll() is None
        time.sleep(0.1)
    pids = pids_of(name)
    owner.kill()
    owner.wait()
    wait_gone(pids)


def test_ctrl_c_while_it_starts_leaves_nothing_running(name: str) -> None:
    starting = subprocess.Popen(
        [sys.executable, "-m", "makima", "sandbox", "up", "--name", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs these tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 60
    while (found := attach(name)) is None or found.processes[-1].pid is None:
        assert time.monotonic() < deadline, "nothing was started"
        time.sleep(0.02)
    pids = pids_of(name)
    starting.send_signal(signal.SIGINT)
    starting.communicate(timeout=60)
    assert starting.returncode == 130
    wait_gone(pids)


def test_two_sandboxes_live_side_by_side_and_what_a_crash_left_behind_is_replaced(sandbox: Sandbox, name: str) -> None:
    first = start(name)
    assert first.running
    assert sandbox.running
    assert first.cluster.server_url != sandbox.cluster.server_url
    assert first.database.url != sandbox.database.url
    first.cluster.apiserver.kill()
    assert f"{first.cluster.server_url}, started 2" in run("sandbox", "status").stdout
    second = start(name)
    assert second.running
    assert second.cluster.server_url != first.cluster.server_url


def up_on_own(somebodys: Sandbox, name: str, database_url: str) -> subprocess.CompletedProcess[str]:
    """`up` on a cluster and a Postgres of one's own."""
    path = f"{somebodys.cluster.programs}{os.pathsep}{os.environ['PATH']}"
    command = ("sandbox", "up", "--name", name, "--kubeconfig", str(somebodys.cluster.kubeconfig))
    return run(*command, MAKIMA_DATABASE_URL=database_url, PATH=path)


def test_a_cluster_and_a_postgres_of_ones_own_are_used_and_left_alone(
    sandbox: Sandbox, name: str, empty_database_url: str
) -> None:
    """Another sandbox stands for the user's own cluster."""
    done = up_on_own(sandbox, name, empty_database_url)
    assert done.returncode == 0, done.stderr
    found = attach(name)
    assert found is not None
    assert (found.processes, found.database.url) == ((), empty_database_url)
    assert found.cluster.server_url == sandbox.cluster.server_url
    for user, who in (("dana", "dana"), ("system:serviceaccount:makima-system:makima-operator", "makima-operator")):
        kubeconfig = found.cluster.kubeconfig_for(user)
        command = [found.cluster.programs / "kubectl", "--kubeconfig", kubeconfig, "auth", "whoami"]
        assert who in subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
    assert run("sandbox", "down", "--name", name).returncode == 0
    assert sandbox.running


def test_a_postgres_of_ones_own_that_does_not_answer_is_told(name: str, sandbox: Sandbox) -> None:
    done = up_on_own(sandbox, name, "postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 1
    assert "MAKIMA_DATABASE_URL" in done.stderr


DEMO_SHOWS = (
    "UNAUTHORIZED: confirming needs the verb confirm",
    "release-notes   Interrupted",
    '"outcome":"QuestionsRedelivered"',
    "   4  life 1  I can't know in which order",
    "   5  life 2  The answer is: newest first.",
    "completing → completed",
    "# Release notes",
)


def test_the_demo_reaches_completed_and_leaves_nothing_running(sandbox: Sandbox) -> None:
    said = demo()
    for text in DEMO_SHOWS:
        assert text in said
    assert attach("demo") is None
