"""Heartbeats of many supervisors from a pod, and what became of each that was acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.agents.beats import LAST
from tests.e2e.kubectl import RESTRICTED_CONTAINER
from tests.e2e.release import WORK, Release

SCRIPT = Path(__file__).parent / "agents" / "beats.py"
API = "http://makima-api.makima-system.svc:8090"
ACCOUNT, FOLDER, TOKENS = "load", "/agents", "/var/run/makima"
SUPERVISORS, PAUSE_SECONDS = 10, 0.1
PHASES = [
    *(
        {"name": f"step-{number}", "deliverables": [{"id": "report"}], "gate": {"autoAdvance": True}}
        for number in range(6)
    ),
    {"name": LAST, "deliverables": [{"id": "report"}], "gate": {"autoAdvance": True}},
]


@dataclass
class Load:
    """What the load was told; complete after its block."""

    names: tuple[str, ...]
    told: dict[str, Any]

    def acknowledged(self) -> set[tuple[str, int, int]]:
        """Contract, life and number of each heartbeat that was said to be stored."""
        return {
            (one["contract_id"], one["incarnation"], number)
            for one in self.told.values()
            for number in one["acknowledged"]
        }


@contextmanager
def load(release: Release, name: str, pause_seconds: float = PAUSE_SECONDS) -> Iterator[Load]:
    """While the block runs; after it every contract of the load is Completed.

    Args:
        name: of this load: that of its pod, and the beginning of its contracts' names.
        pause_seconds: between two heartbeats of one supervisor.
    """
    found = Load(tuple(f"{name}-{number}" for number in range(SUPERVISORS)), {})
    release.work.apply(*_account(), *(_contract(one) for one in found.names))
    for one in found.names:
        release.work.run("wait", "--for=create", f"supervisor/{one}", "--timeout=120s", seconds=150)
    token = release.work.run("create", "token", ACCOUNT, "--audience=makima.dev", "--duration=2h").strip()
    secret = {"metadata": {"name": name, "namespace": WORK}, "stringData": {"token": token}}
    release.work.apply({"apiVersion": "v1", "kind": "Secret", **secret})
    release.work.apply(_pod(name, release.image, found.names, pause_seconds))
    release.until(
        "heartbeats of all", lambda: _failed(release, name) or _beating(release, found.names) == {*found.names}
    )
    assert not _failed(release, name), release.work.run("logs", name)
    yield found
    for one in found.names:
        release.until(f"{one} in its last phase", lambda one=one: release.status(one).get("phase") == LAST)  # type: ignore[misc]
        patch = json.dumps({"spec": {"deliverables": [{"phase": LAST, "id": "report"}]}})
        release.work.run("patch", "contract", one, "--type=merge", "-p", patch)
    for one in found.names:
        release.until_state(one, "Completed")
    release.work.wait_pod(name, lambda status: status["phase"] in {"Succeeded", "Failed"}, 300)
    said = release.work.run("logs", name)
    assert release.work.get("pod", name)["status"]["phase"] == "Succeeded", said
    found.told = json.loads(said.splitlines()[-1])


def assert_nothing_lost_or_doubled(release: Release, load: Load) -> str:
    """Each acknowledged heartbeat is in Postgres, each version once in the history, no supervisor was restarted.

    Returns:
        What was measured, in words.
    """
    contracts = [one["contract_id"] for one in load.told.values()]
    query = (
        "SELECT contract_id::text, incarnation, sequence FROM supervisor_heartbeats WHERE contract_id::text = ANY(%s)"
    )
    stored = {tuple(row) for row in release.query(query, (contracts,))}
    acknowledged = load.acknowledged()
    lost = acknowledged - stored
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged heartbeats are lost: {sorted(lost)[:5]}"
    assert {(one["incarnation"], one["restored"]) for one in load.told.values()} == {(1, "Fresh")}
    versions = sum(release.assert_history(name) for name in load.names)
    slowest = max(one["slowest"] for one in load.told.values())
    return (
        f"{len(acknowledged)} heartbeats acknowledged, none lost, the slowest after {slowest:.1f} s; "
        f"{versions} versions of {len(load.names)} contracts, none lost or doubled"
    )


def _failed(release: Release, pod: str) -> bool:
    return bool(release.work.get("pod", pod)["status"]["phase"] == "Failed")


def _beating(release: Release, names: tuple[str, ...]) -> set[str]:
    query = (
        "SELECT s.name FROM supervisors s WHERE s.name = ANY(%s)"
        " AND EXISTS (SELECT FROM supervisor_heartbeats h WHERE h.contract_id = s.contract_id)"
    )
    return {row[0] for row in release.query(query, (list(names),))}


def _contract(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": WORK}
    spec = {"phases": PHASES, "supervisor": {"heartbeatPeriodSeconds": 5, "heartbeatTimeoutSeconds": 300}}
    return {"apiVersion": "makima.dev/v1alpha1", "kind": "Contract", "metadata": metadata, "spec": spec}


def _account() -> list[dict[str, Any]]:
    metadata = {"name": ACCOUNT, "namespace": WORK}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": WORK}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makima-supervise"}
    script = {"beats.py": SCRIPT.read_text()}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": script},
    ]


def _pod(name: str, image: str, contracts: tuple[str, ...], pause_seconds: float) -> dict[str, Any]:
    environment = {"MAKIMA_API_URL": API, "MAKIMA_TOKEN_FILE": f"{TOKENS}/token", "NAMESPACE": WORK}
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python", f"{FOLDER}/beats.py", str(pause_seconds), *contracts],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "securityContext": RESTRICTED_CONTAINER,
        "volumeMounts": [
            {"name": "agents", "mountPath": FOLDER, "readOnly": True},
            {"name": "token", "mountPath": TOKENS, "readOnly": True},
        ],
    }
    spec = {
        "restartPolicy": "Never",
        "serviceAccountName": ACCOUNT,
        "containers": [container],
        "volumes": [
            {"name": "agents", "configMap": {"name": ACCOUNT}},
            {"name": "token", "secret": {"secretName": name}},  # that of a pod would name it: it is for operator's pods
        ],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": WORK}, "spec": spec}
