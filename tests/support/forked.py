"""Processes of `python`, forked from one that has imported makima already.

A run of the tests starts hundreds of processes, and all that `makima api` imports takes 3.3 s of CPU (two AMD EPYC
cores, nothing else at work; forked: 0.2 s). Python's fork server imports once for each worker of the run; what is
forked is a process of its own, with its own pid, signals, environment and exit code.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import multiprocessing.connection
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

PRELOADED = (
    "makima.handlers.embedded",
    "makima.api_wiring",
    "makima.cli.operator",
    "makima.cli.api",
    "makima.cli.supervise",
    "makima.supervisor.wrapper.run",
)


class ForkedPython:
    """What `subprocess.Popen([sys.executable, *arguments])` gives, as far as tests use it.

    Args:
        arguments: `-m MODULE ARGUMENTS…` or `SCRIPT ARGUMENTS…`.
        environment: all of it.
        out: file that standard output is appended to.
        err: the same for standard error.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
        self._arguments = tuple(arguments)
        for file in (out, err):
            file.touch()  # readers need not wait for the start
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(list(PRELOADED))
        # daemon: what a test leaves behind ends with the run.
        told = (self._arguments, dict(environment), str(out), str(err))
        self._process = server.Process(target=_run, args=told, daemon=True)
        self._process.start()
        self._asking = threading.Lock()

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid or 0)

    @property
    def returncode(self) -> int | None:
        """Exit code, -N for signal N; None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """The same."""
        with self._asking:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; gives the exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended within `timeout` seconds.
        """
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has, and its exit code comes a moment later
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _run(arguments: tuple[str, ...], environment: dict[str, str], out: str, err: str) -> None:
    """Become `python ARGUMENTS`."""
    os.environ.clear()
    os.environ.update(environment)
    for path, descriptor in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(file, descriptor)
        os.close(file)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # read while it runs
    faulthandler.enable()
    if arguments[0] == "-m":
        sys.argv = list(arguments[1:])
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(arguments)
        sys.path.insert(0, str(Path(arguments[0]).parent))
        runpy.run_path(arguments[0], run_name="__main__")
