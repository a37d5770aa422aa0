"""What pods of makima's image can do on the node that `makima sandbox up --node` makes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from makima.sandbox import Sandbox
from tests.e2e.kubectl import RESTRICTED_CONTAINER, Kubectl, pod

pytestmark = pytest.mark.xdist_group("node")

CALLS_THE_API = """
import ssl, socket, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount"
print("kubernetes is", socket.gethostbyname("kubernetes.default.svc"), flush=True)
call = urllib.request.Request("https://kubernetes.default.svc/apis/authentication.k8s.io/v1/")
call.add_header("Authorization", "Bearer " + open(f"{account}/token").read())
trust = ssl.create_default_context(cafile=f"{account}/ca.crt")
print("the API server says", urllib.request.urlopen(call, timeout=20, context=trust).status)
"""
SERVES = "import http.server as h; h.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"
CALLS_THE_SERVICE = """
import time, urllib.request
for attempt in range(300):
    try:
        print("web says", urllib.request.urlopen("http://web:80/etc/group", timeout=5).read().decode())
        break
    except OSError as error:
        print(error, flush=True)
        time.sleep(0.1)
"""


def test_makima_runs_as_a_restricted_pod_and_its_log_is_readable(kubectl: Kubectl, image: str) -> None:
    kubectl.apply(pod("help", image, "python", "-m", "makima", "--help"))
    status = kubectl.wait_pod("help", lambda now: now["phase"] in {"Succeeded", "Failed"})
    log = kubectl.run("logs", "help")
    assert status["phase"] == "Succeeded", log
    assert "Usage: makima" in log
    assert "operator" in log


def test_the_entrypoint_is_makima_as_a_user_that_is_not_root(kubectl: Kubectl, image: str) -> None:
    made = pod("version", image)
    container = made["spec"]["containers"][0]
    del container["command"]
    container["args"] = ["--version"]
    kubectl.apply(made)
    kubectl.wait_pod("version", lambda now: now["phase"] == "Succeeded")
    assert kubectl.run("logs", "version").startswith("makima")


def test_a_pod_that_is_not_restricted_is_refused(kubectl: Kubectl, image: str) -> None:
    made = pod("root", image, "python", "-c", "pass")
    made["spec"]["containers"][0]["securityContext"] = RESTRICTED_CONTAINER | {"allowPrivilegeEscalation": True}
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        kubectl.apply(made)


def test_a_killed_process_is_a_failed_pod_with_its_exit_code(
    kubectl: Kubectl, image: str, node_sandbox: Sandbox
) -> None:
    kubectl.apply(pod("victim", image, "python", "-c", "import time; print('here', flush=True); time.sleep(600)"))
    status = kubectl.wait_pod("victim", lambda now: now["phase"] == "Running")
    kubectl.wait_log("victim", "here\n")
    assert node_sandbox.node is not None
    pids = node_sandbox.node.container_pids(status["containerStatuses"][0]["containerID"])
    assert len(pids) == 1
    assert b"time.sleep(600)" in Path(f"/proc/{pids[0]}/cmdline").read_bytes()
    os.kill(pids[0], signal.SIGKILL)
    status = kubectl.wait_pod("victim", lambda now: now["phase"] not in {"Running", "Pending"}, 30)
    assert status["phase"] == "Failed"
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 128 + signal.SIGKILL
    assert kubectl.run("logs", "victim") == "here\n"


def test_a_pod_reaches_the_api_server_by_name_with_its_token(kubectl: Kubectl, image: str) -> None:
    kubectl.apply(pod("caller", image, "python", "-c", CALLS_THE_API))
    status = kubectl.wait_pod("caller", lambda now: now["phase"] in {"Succeeded", "Failed"})
    log = kubectl.run("logs", "caller")
    assert status["phase"] == "Succeeded", log
    assert log == "kubernetes is 10.96.0.1\nthe API server says 200\n"


def test_a_pod_reaches_another_through_a_service_by_name(kubectl: Kubectl, image: str) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    kubectl.apply(service, pod("web", image, "python", "-c", SERVES, labels={"app": "web"}))
    kubectl.apply(pod("caller", image, "python", "-c", CALLS_THE_SERVICE))
    kubectl.wait_pod("caller", lambda now: now["phase"] in {"Succeeded", "Failed"})
    assert "web says root:x:0:" in kubectl.run("logs", "caller")


def test_this_machine_and_pods_reach_each_other(kubectl: Kubectl, image: str, node_sandbox: Sandbox) -> None:
    assert node_sandbox.node is not None
    kubectl.apply(pod("web", image, "python", "-c", SERVES))
    status = kubectl.wait_pod("web", lambda now: now["phase"] == "Running")
    curl = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=10).status)"
    url = f"http://{status['podIP']}:8080/etc/group"
    retry = f"import time\nfor _ in range(100):\n  try:\n    {curl}; break\n  except OSError: time.sleep(0.1)"
    done = subprocess.run(["python3", "-c", retry, url], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "200\n", done.stderr
    assert kubectl.run("exec", "web", "--", "python", "-c", "print(6 * 7)") == "42\n"
