"""A life with marked secrets: what happens in it, and who was told what.

It has what makes programs talkative: a database that is away and one that refuses the password, supervisors that are
killed and that give up, callers who are refused.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from makima.sandbox.image.makima_image import image_name
from tests.e2e.release import SYSTEM, WORK, Release
from tests.support.helm import CHART
from tests.support.kills.supervisors import SCRIPT, SETTINGS

READ_TOKENS = """
import json, pathlib
found = [*pathlib.Path("/var/run/secrets").rglob("token"), *pathlib.Path("/var/run").glob("makima*/**/token")]
print(json.dumps(sorted({file.read_text() for file in found})))
"""
DATABASE = "leaks"
ANSWER = f"answer-{token_hex(8)}"
"""What a person said: no secret where the conversation is, but nothing for logs, Events and metrics either."""


@dataclass
class Seen:
    """What was read, by where it was."""

    texts: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, text: str, known: str = "") -> None:
        """Keep a text; it has to hold what is known to be there, or it was not read."""
        assert known in text, f"{where} was not read: {text[:500]}"
        self.texts[where] = text

    def leaks(self, marks: Mapping[str, str], *, without: tuple[str, ...] = ()) -> list[str]:
        """Which mark is where."""
        return [
            f"{name} in {where}"
            for where, text in self.texts.items()
            if not where.startswith(without or ("nowhere",))
            for name, mark in marks.items()
            if mark in text
        ]


class Life:
    """A release with a marked database password, and what runs in it."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.marks = {name: f"{name}-{token_hex(12)}" for name in ("password", "key", "literal")}
        self.user = f"user_{token_hex(4)}"
        self.answers = Seen()

    def make_database(self) -> str:
        """A database of a user with the marked password; gives its address."""
        with psycopg.connect(self.release.sandbox.database.url, autocommit=True) as connection:
            user, secret = sql.Identifier(self.user), sql.Literal(self.marks["password"])
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(user, secret))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), user))
        place = urlsplit(self.release.database).netloc.rpartition("@")[2]
        return f"postgresql://{self.user}:{self.marks['password']}@{place}/{DATABASE}"

    def alter_role(self, what: str) -> None:
        """Change what the user may, and end its connections."""
        with psycopg.connect(self.release.sandbox.database.url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(self.user), sql.SQL(what)))  # type: ignore[arg-type]
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (self.user,)
            )

    def install(self) -> None:
        """Everything as README says."""
        database = self.make_database()
        release = self.release
        release.prepare(database)
        release.work.run("create", "secret", "generic", "agent", f"--from-literal=KEY={self.marks['key']}")
        scripts = {"agent.py": SCRIPT.read_text()}
        release.work.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "agents"}, "data": scripts})
        chosen = "database.existingSecret.name=makima-database"
        command = ("install", "makima", str(CHART), "-n", SYSTEM, "--set", chosen, "--wait", "--timeout=15m")
        release.helm.run(*command, seconds=960)

    def contract(self, name: str, *command: str, restarts: int = 5) -> None:
        """A contract whose supervisor has the key, by reference and literally."""
        container = {
            "name": "main",
            "image": image_name(),
            "command": list(command),
            "env": [
                {"name": "KEY", "secretKeyRef": {"name": "agent", "key": "KEY"}},
                {"name": "LITERAL", "value": self.marks["literal"]},
            ],
            "volumeMounts": [{"name": "agents", "mountPath": "/agents", "readOnly": True}],
        }
        template = {
            "containers": [container],
            "volumes": [{"name": "agents", "configMap": "agents"}],
            "terminationGracePeriodSeconds": 1,
        }
        restart = {**SETTINGS.get("restart", {}), "maxRestarts": restarts}
        supervisor = {**SETTINGS, "restart": restart, "template": template}
        body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Contract", "metadata": {"name": name}}
        self.release.work.apply({**body, "spec": {"type": "simple", "supervisor": supervisor}})

    def tokens_of(self, namespace: str, pod: str) -> dict[str, str]:
        """The tokens that a pod has."""
        tool = self.release.system if namespace == SYSTEM else self.release.work
        found = json.loads(tool.run("exec", pod, "--", "python", "-c", READ_TOKENS))
        assert found, f"{pod} has no token"
        return {f"token {number} of {pod}": text for number, text in enumerate(found)}

    def call(self, method: str, path: str, token: str, body: object = None, port: int = 8090) -> str:
        """Call a pod of the API service; whatever it answers."""
        address = self.release.pods("api")[0]["status"]["podIP"]
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://{address}:{port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return f"{answer.status} {answer.headers} {answer.read().decode()}"
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.headers} {error.read().decode()}"


def live(life: Life) -> None:
    """One contract asked, answered, killed and completed; one given up; a database away; callers refused."""
    release = life.release
    life.contract("carried", "python", "/agents/agent.py")
    life.contract("given-up", "python", "-c", "raise SystemExit(3)", restarts=0)
    release.until("a question", lambda: release.status("carried").get("questions"))
    release.work.run("create", "rolebinding", "caller", "--clusterrole=makima-view", f"--serviceaccount={WORK}:default")
    caller = release.work.run("create", "token", "default", "--audience=makima.dev", "--duration=1h")
    life.marks["token of a caller"] = caller.strip()
    for component in ("operator", "api"):
        life.marks |= life.tokens_of(SYSTEM, release.pods(component)[0]["metadata"]["name"])
    life.marks |= life.tokens_of(WORK, "carried-1")
    refuse_callers(life, "well")
    life.alter_role("NOLOGIN")
    release.until("a call that Postgres is missing for", lambda: " 503" in f" {refuse_callers(life, 'away')}")
    life.alter_role("LOGIN PASSWORD 'another'")
    refuse_callers(life, "refused")
    release.kill_processes("operator")
    release.system.run("delete", "pod", release.pods("api")[0]["metadata"]["name"])
    release.until("a migration that is refused", lambda: _refused_migration(release))
    life.alter_role(sql.SQL("PASSWORD {}").format(sql.Literal(life.marks["password"])).as_string(None))
    release.work.run("delete", "pod", "carried-1", "--grace-period=0", "--force", "--wait=false")
    release.until("life 2", lambda: release.work.get("supervisor", "carried")["status"].get("incarnation") == 2)
    (question,) = release.status("carried")["questions"]
    answers = [{"questionId": question["id"], "answer": ANSWER}]
    release.work.run("patch", "contract", "carried", "--type=merge", "-p", json.dumps({"spec": {"answers": answers}}))
    release.until_state("carried", "Completed")
    release.until_state("given-up", "Failed")


def _refused_migration(release: Release) -> bool:
    """Whether a new pod's first container was refused by Postgres, and said so."""
    said = ""
    for pod in release.pods("api"):
        with suppress(AssertionError):
            said += release.system.run("logs", pod["metadata"]["name"], "-c", "migrate")
    return "password authentication failed" in said


def refuse_callers(life: Life, when: str) -> str:
    """Calls that fail, each in another way; keeps and gives all that was answered."""
    token = life.marks["token of a caller"]
    uid = life.release.work.get("contract", "carried")["metadata"]["uid"]
    own = f"/api/v1/contracts/{uid}"
    calls = {
        "nobody": ("GET", own, ""),
        "a token that is none": ("GET", own, life.marks["key"]),
        "another's contract": ("GET", own, token),
        "its supervisor's state": ("GET", f"{own}/supervisor/status", token),
        "a heartbeat": ("POST", f"{own}/supervisor/heartbeat", token),
        "a body of nothing": ("POST", "/api/v1/supervisors/register", token),
        "no such path": ("GET", "/api/v1/nothing", token),
        "a list": ("GET", "/api/v1/contracts?namespace=work", token),
    }
    said = []
    for name, call in calls.items():
        answer = life.call(*call, body={} if call[0] == "POST" else None)
        said.append(answer)
        if int(answer.split()[0]) >= 400:
            life.answers.add(f"error body, {name}, Postgres {when}", answer)
    return " ".join(said)
