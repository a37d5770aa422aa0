"""The C compiler that builds the one program with C in it (runc): the machine's own, else the `ziglang` wheel."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from makima.sandbox.folders import cache_folder
from makima.sandbox.go_toolchain import Teller
from makima.sandbox.wheel import fetch_wheel

WHEEL = "ziglang==0.15.2"
NAMES = ("cc", "gcc", "clang")
PROBE = (
    "#include <linux/netlink.h>\n#include <sched.h>\n#include <stdio.h>\nint main(void) { return CLONE_NEWPID == 0; }\n"
)


def c_compiler(progress: Teller) -> str:
    """A command that compiles C for this machine, as Go takes it in CC.

    Raises:
        SandboxError: there is none and the wheel can't be had.
    """
    for name in NAMES:
        found = shutil.which(name)
        if found and _compiles(found):
            return found
    kept = cache_folder() / WHEEL.replace("==", "-")
    zig = kept / "ziglang" / "zig"
    if not zig.exists():
        progress.tell(f"fetching {WHEEL}: no C compiler with its headers is on PATH", last=True)
        fetch_wheel(WHEEL, kept, ("ziglang/zig",), "install a C compiler (Debian: gcc and libc6-dev), or runc itself")
    return f'"{zig}" cc'


def _compiles(compiler: str) -> bool:
    """Whether it has the headers of C library and kernel: many machines have a compiler without them."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "probe.c"
        source.write_text(PROBE)
        command = [compiler, "-o", str(Path(scratch) / "probe"), str(source)]
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
