"""The command line in this very process, as different people: what it writes, and its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shlex
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from unittest import mock
from uuid import uuid4

from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection
from makima.adapters.kubernetes.contracts import path_of
from makima.cli.contracts import group
from makima.cli.contracts.persona import KUBECTL
from makima.cli.main import run
from makima.sandbox import Sandbox
from tests.support.connected import connected
from tests.support.kube import RBAC, Body, contract

T = TypeVar("T")


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote, as JSON."""
        return json.loads(self.out)

    def ok(self) -> Done:
        """Itself, if it ended well."""
        assert self.code == 0, f"exit code {self.code}\n{self.out}\n{self.err}"
        return self


class Terminal(io.StringIO):
    """Somebody who sits there and types."""

    def isatty(self) -> bool:
        return True


def done(
    command: Callable[[], int], typed: str | None = None, environment: Mapping[str, str] = MappingProxyType({})
) -> Done:
    """A command with what it wrote, in an environment that names no API and no database of its own."""
    out, err = (io.StringIO(), io.StringIO()) if typed is None else (Terminal(), Terminal())
    stdin = io.StringIO() if typed is None else Terminal(typed)
    nothing = {"MAKIMA_DATABASE_URL": "", "MAKIMA_CONFIG": "", "MAKIMA_API_URL": ""}
    with (
        mock.patch.dict(os.environ, {**nothing, **environment}),
        mock.patch("sys.stdin", stdin),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = command()
    return Done(code, out.getvalue(), err.getvalue())


def pasted(line: str, environment: Mapping[str, str] = MappingProxyType({})) -> Done:
    """A line of `makima contracts` or `kubectl contracts` as a shell takes it: nothing is added."""
    program, group_name, *words = shlex.split(line)
    assert group_name == "contracts", line
    by_name = {"makima": lambda: run(["contracts", *words]), "kubectl": lambda: run(words, group(KUBECTL), KUBECTL)}
    return done(by_name[program], None, environment)


@dataclass
class Stage:
    """A cluster, a namespace, and people with kubeconfigs.

    Attributes:
        environment: of every command.
        kubeconfigs: of people who have another than the certificate that the sandbox gives them.
    """

    sandbox: Sandbox
    namespace: str
    environment: dict[str, str] = field(default_factory=dict)
    kubeconfigs: dict[str, Path] = field(default_factory=dict)

    def kubeconfig(self, who: str) -> Path:
        """Of a person; the administrator is `admin`."""
        if who == "admin":
            return self.sandbox.cluster.kubeconfig
        return self.kubeconfigs.get(who) or self.sandbox.cluster.kubeconfig_for(who)

    def makima(self, who: str, *words: str, typed: str | None = None, **environment: str) -> Done:
        """`makima contracts WORDS --namespace …` of this person.

        Args:
            typed: what the person types at a terminal; None = there is no terminal.
        """
        return self._run(who, [*words], typed, environment, lambda line: run(["contracts", *line]))

    def kubectl(self, who: str, *words: str, typed: str | None = None, **environment: str) -> Done:
        """`kubectl contracts WORDS` of this person."""
        return self._run(who, [*words], typed, environment, lambda line: run(line, group(KUBECTL), KUBECTL))

    def _run(
        self,
        who: str,
        words: list[str],
        typed: str | None,
        more: Mapping[str, str],
        command: Callable[[list[str]], int],
    ) -> Done:
        words = [*words, "--kubeconfig", str(self.kubeconfig(who))]
        return done(lambda: command(words), typed, {**self.environment, **more})

    def paste(self, line: str) -> Done:
        """A command line that was printed, as it is."""
        return pasted(line, self.environment)

    def do(self, work: Callable[[Connection], Awaitable[T]], who: str = "admin") -> T:
        """Something on the API server itself."""

        async def at_work() -> T:
            async with await connected(self.kubeconfig(who)) as connection:
                return await work(connection)

        return asyncio.run(at_work())

    def bind(self, who: str, *roles: str, namespace: str | None = None) -> None:
        """Give a person cluster roles in the namespace."""

        async def work(admin: Connection) -> None:
            for role in roles:
                body = {
                    "metadata": {"name": f"{who}-{role}"},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                    "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": who}],
                }
                await admin.request("POST", f"{RBAC}/namespaces/{namespace or self.namespace}/rolebindings", body=body)

        self.do(work)

    def let_read_pods(self, who: str) -> None:
        """What Kubernetes' own role view gives, where a controller manager fills it."""
        place = f"{RBAC}/namespaces/{self.namespace}"
        rules = [{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}]
        binding = {
            "metadata": {"name": f"{who}-pods"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods"},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": who}],
        }

        async def work(admin: Connection) -> None:
            await admin.request("POST", f"{place}/roles", body={"metadata": {"name": "pods"}, "rules": rules})
            await admin.request("POST", f"{place}/rolebindings", body=binding)

        self.do(work)

    def create(self, name: str, labels: Mapping[str, str] = MappingProxyType({}), **spec: Any) -> Body:
        """A contract, by the administrator."""
        path, body = path_of("contracts", self.namespace), contract(name, **spec)
        body["metadata"]["labels"] = {**labels}
        return self.do(lambda admin: admin.request("POST", path, body=body))

    def get(self, name: str, plural: str = "contracts") -> Body:
        """An object as it is."""
        return self.do(lambda admin: admin.request("GET", path_of(plural, self.namespace, name)))

    def patch(self, name: str, body: Mapping[str, Any], subresource: str | None = None) -> Body:
        """A merge patch by the administrator."""
        path = path_of("contracts", self.namespace, name, subresource)
        return self.do(lambda admin: admin.request("PATCH", path, body=body, content_type=MERGE_PATCH))

    def ask(self, name: str, question: str, *options: str) -> str:
        """An open question of the contract's supervisor; its id."""
        identifier, status = str(uuid4()), self.get(name)["status"]
        entry = {
            "id": identifier,
            "question": question,
            "type": "choice" if options else "text",
            "phase": status["phase"],
            "askedTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "options": list(options),
        }
        self.patch(name, {"status": {"questions": [*status.get("questions", ()), entry]}}, "status")
        return identifier

    def until(self, name: str, holds: Callable[[Body], bool], seconds: float = 90) -> Body:
        """Wait until the operator has brought the contract so far."""
        deadline = time.monotonic() + seconds
        while True:
            body = self.get(name)
            if "status" in body and "state" in body["status"] and holds(body["status"]):
                return body
            assert time.monotonic() < deadline, f"{name} is {body.get('status')}"
            time.sleep(0.1)


@contextlib.contextmanager
def stage(sandbox: Sandbox, prefix: str = "cli") -> Iterator[Stage]:
    """A namespace of its own, with ed who may edit, connie who may also confirm, vera who may only look."""
    found = Stage(sandbox, f"{prefix}-{uuid4().hex[:8]}")
    body = {"metadata": {"name": found.namespace}}
    found.do(lambda admin: admin.request("POST", "/api/v1/namespaces", body=body))
    found.bind("ed", "makima-edit")
    found.bind("connie", "makima-edit", "makima-confirm")
    found.bind("vera", "makima-view")
    yield found
