"""The main job, on a real API server and a real Postgres, in one go: `make demo`.

A `specification` contract writes release notes from this repository's own git history. Its phases are guarded: a
person who may not confirm is refused by the API server, one who may confirms, and at the end the history is read from
Postgres.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from makima.cli.sandbox import start_ready
from makima.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "release-notes"
NAMESPACE, CONTRACT = "demo", "release-notes"
OPERATOR = "system:serviceaccount:makima-system:makima-operator"
OPERATOR_GROUPS = ("system:serviceaccounts", "system:serviceaccounts:makima-system", "system:authenticated")
ROLES = {
    "dana": ("makima-edit",),
    "ravi": ("makima-edit", "makima-confirm"),
    "release-notes-supervisor": ("makima-edit",),
}

console = Console(highlight=False, soft_wrap=True)


class DemoError(Exception):
    """Something did not happen in time; says what was waited for."""


class Person:
    """Somebody with a kubeconfig of their own."""

    def __init__(self, name: str, kubeconfig: Path) -> None:
        self.name, self.kubeconfig = name, kubeconfig

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}

    def run(self, *command: str, show: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as this person, and show both if wanted."""
        if show:
            console.print(f"[bold cyan]{self.name}$[/] {shlex.join(command)}", markup=True)
        done = subprocess.run(
            command,
            env={**self.environment, "COLUMNS": str(console.width)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        if show:
            console.print(
                (done.stdout + done.stderr).rstrip(), style=None if done.returncode == 0 else "red", markup=False
            )
        return done

    def contract(self) -> dict[str, Any]:
        """The contract now."""
        done = self.run("kubectl", "-n", NAMESPACE, "get", "contract", CONTRACT, "-o", "json", show=False)
        body: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        return body


def step(title: str) -> None:
    """A headline."""
    console.print(f"\n[bold]== {title}[/]")


def wait(what: str, condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until the condition holds.

    Raises:
        DemoError: it did not, in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {seconds:.0f} s for: {what}")
        time.sleep(0.1)


@contextmanager
def process(name: str, command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A process in the background, ended with the demo; its output goes to a log file."""
    with log.open("w") as out:
        running = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
    console.print(f"{name}: running (log: {log})")
    try:
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(timeout=15)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def prepare(admin: Person) -> None:
    """A namespace, and what each person may do in it."""
    admin.run("kubectl", "create", "namespace", NAMESPACE, show=False)
    for user, roles in ROLES.items():
        for role in roles:
            admin.run(
                "kubectl", "-n", NAMESPACE, "create", "rolebinding", f"{user}-{role}", f"--clusterrole={role}",
                f"--user={user}", show=False,
            )  # fmt: skip


def confirm_command(contract: dict[str, Any]) -> tuple[str, ...]:
    """The command that confirms the move that the contract waits for."""
    status = contract["status"]
    names = [phase["name"] for phase in status["phases"]]
    following = names.index(status["phase"]) + 1
    goal = names[following] if following < len(names) else "Completed"
    advance = {"to": goal, "expectedVersion": status["version"], "confirmed": True}
    patch = json.dumps({"spec": {"advance": advance}})
    return ("kubectl", "-n", NAMESPACE, "patch", "contract", CONTRACT, "--type=merge", "-p", patch)


def carry_to_the_end(dana: Person, ravi: Person) -> None:
    """Confirm each guarded move until the contract is Completed."""
    confirmed = 0
    while True:
        state = ravi.contract()["status"]["state"]
        if state == "Completed":
            return
        version = ravi.contract()["status"]["version"]
        wait("a phase to be ready for confirmation", lambda: ravi.contract()["status"]["state"] == "WaitingForInput")
        if confirmed == 0:
            dana.run("kubectl", "-n", NAMESPACE, "get", "contracts")
            step("Dana may edit, but not confirm: the API server refuses")
            dana.run(*confirm_command(dana.contract()))
            step("Ravi may confirm")
        ravi.run(*confirm_command(ravi.contract()))
        confirmed += 1
        wait("the move", lambda seen=version: ravi.contract()["status"]["version"] > seen + 1 or _finished(ravi))


def _finished(person: Person) -> bool:
    return bool(person.contract()["status"]["state"] in ("Completed", "Completing", "WaitingForInput", "Active"))


def demo(sandbox: Sandbox, scratch: Path) -> None:
    """Everything, in order."""
    admin = Person("admin", sandbox.cluster.kubeconfig)
    people = {
        name: Person(name, sandbox.cluster.kubeconfig_for(name, groups=("system:authenticated",))) for name in ROLES
    }
    dana, ravi, supervisor = people["dana"], people["ravi"], people["release-notes-supervisor"]
    operator = Person("operator", sandbox.cluster.kubeconfig_for(OPERATOR, groups=OPERATOR_GROUPS))
    prepare(admin)
    with ExitStack() as stack:
        step("The operator starts, with its own account and nothing more")
        environment = {**operator.environment, "MAKIMA_DATABASE_URL": sandbox.database.url}
        environment |= {"MAKIMA_OPERATOR__HEALTH_PORT": "0", "MAKIMA_OPERATOR__METRICS_PORT": "0"}
        command = [sys.executable, "-m", "makima", "operator"]
        stack.enter_context(process("operator", command, environment, scratch / "operator.log"))
        step("Dana applies a contract: release notes from this git history, each phase guarded")
        dana.run("kubectl", "-n", NAMESPACE, "apply", "-f", str((EXAMPLE / "contract.yaml").relative_to(ROOT)))
        wait("the contract to be accepted", lambda: dana.contract().get("status", {}).get("state"))
        dana.run("kubectl", "-n", NAMESPACE, "get", "contracts")
        step("Its supervisor registers and works: a stand-in for an agent, doing the real work")
        work = [sys.executable, str(EXAMPLE / "supervisor.py"), "--namespace", NAMESPACE, "--repository", str(ROOT)]
        work += ["--out", str(scratch / "release-notes")]
        stack.enter_context(process("supervisor", work, supervisor.environment, scratch / "supervisor.log"))
        carry_to_the_end(dana, ravi)
        show_result(dana, sandbox, scratch)


def show_result(dana: Person, sandbox: Sandbox, scratch: Path) -> None:
    """The contract, its history from Postgres, and what was written."""
    step("Completed")
    dana.run("kubectl", "-n", NAMESPACE, "get", "contracts")
    step("The history, from Postgres")
    reader = Person("dana", dana.kubeconfig)
    os.environ["MAKIMA_DATABASE_URL"] = sandbox.database.url
    reader.run("makima", "contracts", "history", f"{NAMESPACE}/{CONTRACT}")
    step("What was written (its digest is in status.deliverables)")
    notes = (scratch / "release-notes" / "RELEASE_NOTES.md").read_text().splitlines()
    console.print("\n".join(notes[:8]), markup=False)
    console.print(f"… {len(notes)} lines in {scratch / 'release-notes' / 'RELEASE_NOTES.md'}")


def main() -> int:
    """Entry point of `make demo`."""
    parser = argparse.ArgumentParser(description="Runs the main job of makima on a sandbox of its own.")
    parser.add_argument("--keep", action="store_true", help="leave the sandbox running, to look around")
    parser.add_argument("--kubeconfig", type=Path, help="use a cluster of your own; then none is built")
    parser.add_argument("--context", help="context in it")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="makima-demo-"))
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    began = time.monotonic()
    step("A real etcd, kube-apiserver and Postgres start on this machine")
    own = {"kubeconfig": options.kubeconfig, "context": options.context}
    sandbox = start_ready("demo", ends_with=None if options.keep else os.getpid(), **own)
    os.environ["PATH"] = f"{sandbox.cluster.programs}{os.pathsep}{os.environ['PATH']}"
    try:
        demo(sandbox, scratch)
    except DemoError as error:
        console.print(f"[red]the demo did not get through:[/] {error}; logs are in {scratch}")
        return 1
    finally:
        if not options.keep:
            sandbox.stop()
    console.print(f"\nDone in {time.monotonic() - began:.0f} s. Look around by hand: make demo KEEP=1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
