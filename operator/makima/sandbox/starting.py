"""How a sandbox is started, or the running one of its name found: one at a time, and all of it or nothing."""

from __future__ import annotations

from pathlib import Path

from makima.sandbox.folders import SandboxError, sandbox_folder, sandboxes_folder
from makima.sandbox.go_build import Progress
from makima.sandbox.guard import start_guard
from makima.sandbox.locking import exclusive
from makima.sandbox.node.layout import NODE
from makima.sandbox.node.node import node_state
from makima.sandbox.node.programs import find_node_programs, one_node_folder
from makima.sandbox.node.requirements import require_node_support
from makima.sandbox.programs import find_programs
from makima.sandbox.recorded import attach, from_state, new_state
from makima.sandbox.sandbox import Own, Sandbox
from makima.sandbox.state import forget, write_state

PORT_ATTEMPTS = 3


def start(
    name: str = "default",
    *,
    own: Own | None = None,
    node: bool = False,
    ends_with: int | None = None,
    progress: Progress | None = None,
) -> Sandbox:
    """Start a sandbox, or find the running one of this name.

    Args:
        name: several live side by side under different names.
        own: what the user brings; nothing is built or started for that.
        node: with a real node that runs pods; needs root on Linux.
        ends_with: process id; the sandbox ends with this process, even if it is killed. Default: it stays.
        progress: where the one-time build is told.

    Raises:
        SandboxError: says what is missing or does not work.
    """
    folder, own = sandbox_folder(name), own or Own()
    if node:
        _require_node(own)
    sandboxes_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive(sandboxes_folder() / f".{name}.lock"):
        found = attach(name)
        if found is not None and found.running:
            return _as_wanted(found, node)
        if found is not None:
            found.stop()  # what a crash or a reboot left behind
        progress = progress or Progress()
        programs = {} if own.cluster else find_programs(progress)
        node_programs = find_node_programs(progress) if node else None
        if ends_with is not None:
            start_guard(name, ends_with)  # before there is anything that could be left behind
        return _start_new(name, folder, own, programs, node_programs)


def _require_node(own: Own) -> None:
    if own.cluster:
        raise SandboxError("--node is for the sandbox's own cluster", "leave out --node, or --kubeconfig and --context")
    require_node_support()


def _as_wanted(found: Sandbox, node: bool) -> Sandbox:
    if node and found.node is None:
        option = "" if found.name == "default" else f" --name {found.name}"
        raise SandboxError(
            f"sandbox {found.name} runs without a node", f"makima sandbox down{option}, or another --name"
        )
    return found


def _start_new(
    name: str, folder: Path, own: Own, programs: dict[str, Path], node_programs: dict[str, Path] | None
) -> Sandbox:
    for attempt in range(1, PORT_ATTEMPTS + 1):
        forget(folder)
        folder.mkdir(mode=0o700)
        state = new_state(name, folder, own, programs)
        if node_programs is not None:
            one_node_folder(folder / NODE / "bin", node_programs)
            state["node"] = node_state()
        write_state(folder, state)
        sandbox = from_state(name, folder, state)
        if _started(sandbox, last=attempt == PORT_ATTEMPTS):
            return sandbox
    raise AssertionError("the last attempt raises")


def _started(sandbox: Sandbox, *, last: bool) -> bool:
    """Whether it started; not if somebody took a port in between, which is worth another attempt."""
    try:
        sandbox.start()
    except SandboxError as error:
        sandbox.end_servers()
        if "in use" in error.message and not last:
            return False
        raise
    except BaseException:  # Ctrl-C included: nothing is left running
        sandbox.stop()
        raise
    return True
