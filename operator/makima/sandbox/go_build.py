"""Building a Go program from its module, with the time it takes in view."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import IO

from makima.sandbox.c_compiler import c_compiler
from makima.sandbox.folders import SandboxError, cache_folder
from makima.sandbox.go_toolchain import go_command

REPORT_SECONDS = 20.0
KEPT_LINES = 15


class Progress:
    """Tells a person what takes so long: one line that is updated on a terminal, one each 20 s elsewhere."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out if out is not None else sys.stderr
        self._told = float("-inf")

    def tell(self, text: str, *, last: bool = False) -> None:
        """Show where things stand."""
        terminal = self._out.isatty()
        now = time.monotonic()
        if not last and not terminal and now - self._told < REPORT_SECONDS:
            return
        self._told = now if not last else float("-inf")
        self._out.write(f"\r\x1b[K{text}" if terminal else f"{text}\n")
        if last and terminal:
            self._out.write("\n")
        self._out.flush()


def build(
    module: str, package: str, output: Path, linker_flags: str, progress: Progress, *, needs_c: bool = False
) -> None:
    """Build one program; the file appears only when it is complete.

    Raises:
        SandboxError: no Go or no C compiler to be had, or the build failed; carries the compiler's last lines.
    """
    go = go_command(progress)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=output.parent) as scratch:
        source = Path(scratch) / "module"
        with resources.as_file(resources.files("makima.sandbox") / "go_modules" / module) as files:
            shutil.copytree(files, source)
        made = Path(scratch) / output.name
        command = [go, "build", "-v", "-trimpath", "-tags", "no_btrfs,no_zfs"]
        command += ["-ldflags", f"-s -w {linker_flags}".rstrip(), "-o", str(made), package]
        c_parts = {"CGO_ENABLED": "1", "CC": c_compiler(progress)} if needs_c else {"CGO_ENABLED": "0"}
        _run(command, source, output.name, progress, c_parts)
        made.replace(output)


def _run(command: list[str], folder: Path, name: str, progress: Progress, c_parts: dict[str, str]) -> None:
    """`go build -v` names each package that it has compiled, which makes it countable."""
    began, packages, lines = time.monotonic(), 0, list[str]()
    environment = {**os.environ, **c_parts, "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    log = cache_folder() / "programs" / f"{name}.build.log"
    progress.tell(f"building {name}, once for this user; minutes on two cores …")
    with (
        log.open("w") as kept,
        subprocess.Popen(
            command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as running,
    ):
        assert running.stdout is not None
        try:
            for line in running.stdout:
                kept.write(line)
                lines = [*lines[1 - KEPT_LINES :], line]
                packages += not line.startswith("go: ")
                progress.tell(f"building {name}: {packages} packages, {time.monotonic() - began:.0f} s")
        except BaseException:
            running.kill()
            raise
    if running.returncode != 0:
        raise SandboxError(f"{name} could not be built:\n{''.join(lines)}", f"the whole log is in {log}")
    progress.tell(f"built {name} in {time.monotonic() - began:.0f} s", last=True)
