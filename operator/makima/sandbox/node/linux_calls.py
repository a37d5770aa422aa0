"""The Linux system calls that Python 3.11 does not have: unshare, mount, prctl."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 0x1000, 0x4000, 0x40000, 0x100000
PR_SET_PDEATHSIG = 1


def unshare(flags: int) -> None:
    """Leave namespaces for new ones; a new PID namespace is for children only.

    Raises:
        OSError: the kernel refused.
    """
    _call("unshare", flags)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2).

    Raises:
        OSError: the kernel refused; names the target.
    """
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, data.encode(), about=target)


def end_with_parent(signal: int) -> None:
    """Get this signal when the thread that forked this process is gone.

    Raises:
        OSError: the kernel refused.
    """
    _call("prctl", PR_SET_PDEATHSIG, signal, 0, 0, 0)


def _call(name: str, *arguments: int | bytes, about: str | None = None) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    passed = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    if getattr(library, name)(*passed) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", about)
