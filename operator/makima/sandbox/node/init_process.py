"""`python -m makima.sandbox.node.init_process FOLDER`: a node, in namespaces that end with this process.

The process that is started stays outside, lays the cable and waits. Its child is process 1 of the node: it starts
containerd, kubelet and the service proxy, and ends when one of them ends. Whoever kills either of the two ends every
process, mount and link of the node: the kernel sees to it.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from pathlib import Path

from makima.sandbox.node import linux_calls
from makima.sandbox.node.addresses import Addresses
from makima.sandbox.node.inside import run_inside
from makima.sandbox.node.layout import Layout
from makima.sandbox.node.log import tell
from makima.sandbox.node.netlink import add_address, add_pair, add_route, bring_up

OWN_NAMESPACES = (
    linux_calls.CLONE_NEWNS | linux_calls.CLONE_NEWNET | linux_calls.CLONE_NEWIPC | linux_calls.CLONE_NEWUTS
)


def main() -> None:
    """Be the outer process; forks the inner one."""
    layout = Layout.read(Path(sys.argv[1]))
    child_ready, tell_ready = os.pipe()
    child_may_go, tell_go = os.pipe()
    linux_calls.unshare(linux_calls.CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        os.close(child_ready)
        os.close(tell_go)
        _become_init(layout, tell_ready, child_may_go)
    os.close(tell_ready)
    os.close(child_may_go)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    layout.init.write_text(str(child))
    if os.read(child_ready, 1):
        _lay_cable(layout.addresses, child)
        layout.connected.touch()
        os.write(tell_go, b"1")
    _, status = os.waitpid(child, 0)
    tell(f"process 1 of the node ended with {os.waitstatus_to_exitcode(status)}")
    sys.exit(1)


def _become_init(layout: Layout, ready: int, may_go: int) -> None:
    """Process 1. The pipe tells whether the outer process is still there: its death before prctl goes unsignalled."""
    code = 1
    try:
        linux_calls.end_with_parent(signal.SIGKILL)
        linux_calls.unshare(OWN_NAMESPACES)
        os.write(ready, b"1")
        if os.read(may_go, 1):
            code = run_inside(layout)
    except BaseException:  # whatever it is, it has to be in the log: nobody else sees it
        tell(f"the node can't be set up:\n{traceback.format_exc()}")
    finally:
        os._exit(code)


def _lay_cable(addresses: Addresses, child: int) -> None:
    """The machine's end of the link to the node, and the way to its pods (the node brings up its own end)."""
    try:
        add_pair(addresses.link, "eth0", child)
    except OSError as error:
        if error.errno != errno.EEXIST:
            raise
        tell(f"the network link {addresses.link} is in use by another node")
        sys.exit(1)
    add_address(addresses.link, addresses.host, addresses.cable.prefixlen)
    bring_up(addresses.link)
    add_route(addresses.pods, addresses.node)


if __name__ == "__main__":
    main()
