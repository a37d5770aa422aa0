"""The main job, on a real API server and a real Postgres, in one go: `make demo`.

A `specification` contract writes release notes from this repository's own git history. Its phases are guarded: a
person who may not confirm is refused by the API server, one who may confirms. In the middle of a phase its supervisor
asks a question and is killed; the operator notices, the next life is restored and goes on with the very next message.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from death_and_return import answer, come_back, kill_in_the_middle
from guarded_moves import carry_to_the_end, confirm_next, refuse_dana
from narration import DemoError, console, step, wait
from outcome import show_outcome
from people import CONTRACT, NAMESPACE, ROLES, ROOT, Person, prepare, write_token
from processes import EXAMPLE, Background, api_url, start_service, start_supervisor
from tour import give_the_reader_a_contract, show_tour

from makima.sandbox import Sandbox
from makima.sandbox_wiring import start_ready

SYSTEM = "system:serviceaccount:makima-system"
SYSTEM_GROUPS = ("system:serviceaccounts", "system:serviceaccounts:makima-system", "system:authenticated")


def demo(sandbox: Sandbox, scratch: Path, *, keep: bool) -> None:
    """Everything, in order; `keep` leaves operator and API service running."""
    admin = Person("admin", sandbox.cluster.kubeconfig)
    dana, ravi = (
        Person(name, sandbox.cluster.kubeconfig_for(name, groups=("system:authenticated",))) for name in ROLES
    )
    prepare(admin)
    write_token(admin, scratch / "token")
    with ExitStack() as stack:
        step("The operator and the API service start, each with its own account and nothing more")
        listener = sandbox.api_listener
        services = {}
        for kind in ("operator", "api"):
            account = sandbox.cluster.kubeconfig_for(f"{SYSTEM}:makima-{kind}", groups=SYSTEM_GROUPS)
            more = listener.environment if listener is not None and kind == "api" else {}
            services[kind] = start_service(kind, account, sandbox.database.url, scratch, more)
            stack.callback(services[kind].stop)
        api = api_url(scratch)
        if listener is not None:
            connect(admin, sandbox, stack)
        apply_contract(dana)
        carry(dana, ravi, api, scratch, stack)
        if listener is not None:
            read_with_kubectl(dana)
        show_outcome(dana, sandbox.database.url, scratch)
        if keep:
            more = give_the_reader_a_contract(dana, api, scratch)
            stack.pop_all()
            show_tour(sandbox, scratch, [*services.values(), more])


def connect(admin: Person, sandbox: Sandbox, stack: ExitStack) -> None:
    """Have the API server forward monitor.makima.dev to the API service.

    Raises:
        DemoError: it does not get through.
    """
    step("The API server forwards monitor.makima.dev to the API service: from here on a kubeconfig is all one needs")
    if admin.run("makima", "sandbox", "connect", "--name", sandbox.name).returncode:
        raise DemoError("the API server does not reach the API service")
    stack.callback(admin.run, "makima", "sandbox", "disconnect", "--name", sandbox.name, show=False)


def read_with_kubectl(dana: Person) -> None:
    """What Kubernetes does not keep, with nothing but Dana's client certificate.

    Raises:
        DemoError: she may not.
    """
    step("How the supervisor is, by its newest heartbeat: with Dana's kubeconfig, through the API server")
    root = f"/apis/monitor.makima.dev/v1alpha1/namespaces/{NAMESPACE}/contracts/{CONTRACT}"
    if dana.run("kubectl", "get", "--raw", f"{root}/supervisor/status").returncode:
        raise DemoError("Dana can't read with her kubeconfig")


def apply_contract(dana: Person) -> None:
    """The contract, and the Supervisor that the operator makes for it."""
    step("Dana applies a contract: release notes from this git history, each phase guarded")
    dana.kubectl("apply", "-f", str((EXAMPLE / "contract.yaml").relative_to(ROOT)))
    wait("the contract to be accepted", lambda: dana.status().get("state"))
    wait("its Supervisor to be made", lambda: dana.kubectl("get", "supervisor/release-notes", show=False).stdout)


def carry(dana: Person, ravi: Person, api: str, scratch: Path, stack: ExitStack) -> None:
    """From the first phase to the last, with a death in the second."""

    def start(life: int) -> Background:
        supervisor = start_supervisor(CONTRACT, life, api, scratch)
        stack.callback(supervisor.stop)
        return supervisor

    step("Its supervisor starts, a process with a token of its own: a stand-in for an agent, doing the real work")
    first = start(1)
    refuse_dana(dana)
    step("Ravi may confirm")
    confirm_next(ravi)
    question = kill_in_the_middle(dana, first)
    second = come_back(dana, lambda: start(2), question)
    answer(dana, second, question)
    step("The work goes on; Ravi confirms each phase")
    carry_to_the_end(ravi)
    wait("the supervisor to end", lambda: second.ended)
    wait("its last state to be seen", lambda: dana.status("supervisor").get("state") == "Completed")


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
        demo(sandbox, scratch, keep=options.keep)
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
