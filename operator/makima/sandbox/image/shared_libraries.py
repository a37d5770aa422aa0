"""Which shared libraries of this machine programs need, found by asking the dynamic loader itself."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from makima.sandbox.folders import SandboxError

PT_INTERP, CLASS_64 = 3, 2
OPENED_BY_NAME = ("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
FOUND = re.compile(r"(?:=>\s*|^\s*)(/\S+) \(0x[0-9a-f]+\)", re.MULTILINE)


def loader_of(program: Path) -> Path:
    """The dynamic loader that a 64-bit ELF program names (ELF header: elf(5)).

    Raises:
        SandboxError: it is no such program, for example a script.
    """
    with program.open("rb") as content:
        head = content.read(64)
        if head[:4] != b"\x7fELF" or head[4] != CLASS_64:
            raise SandboxError(f"{program} is no 64-bit ELF program", "an image can be made on 64-bit Linux only")
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        for number in range(count):
            content.seek(table + number * size)
            kind, _, offset, _, _, length = struct.unpack("<IIQQQQ", content.read(40))
            if kind == PT_INTERP:
                content.seek(offset)
                return Path(content.read(length).rstrip(b"\0").decode())
    raise SandboxError(f"{program} is linked statically", "use a Python that is linked dynamically")


def shared_libraries(loader: Path, files: Iterable[Path]) -> set[Path]:
    """What the files need, as the loader finds it here, and what glibc opens by name at run time."""
    found: set[Path] = set()
    for file in files:
        # Exit codes tell nothing: a library that an optional module lacks is no reason to make no image.
        told = subprocess.run(
            [str(loader), "--list", str(file)], capture_output=True, text=True, check=False, timeout=30
        )
        found |= {Path(os.path.normpath(path)) for path in FOUND.findall(told.stdout)}
    folders = {path.parent for path in found if path.name.startswith("libc.so")}
    found |= {folder / name for folder in folders for name in OPENED_BY_NAME if (folder / name).exists()}
    return found
