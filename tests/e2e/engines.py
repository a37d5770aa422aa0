"""Engines that build the Dockerfile without a registry of images: base images are made of Debian's packages.

`apt-get install buildah podman docker.io mmdebstrap` has all that is needed. A daemon of docker's that is not there is
started for the test, with folders of its own and without a network: it touches no rule of this machine's firewall.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.release import ROOT

RUNTIME = "python3,python-is-python3,ca-certificates"
BUILDER = f"{RUNTIME},python3-venv,python3-pip"
BASES = {"localhost/makima-test-base:1": RUNTIME, "localhost/makima-test-builder:1": BUILDER}
BASE, BASE_BUILDER = BASES
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
OPTIONS = {"docker": "--network=host", "podman": "--isolation=chroot", "buildah": "--isolation=chroot"}
"""`chroot` needs no runtime, which may not take the cgroups of this machine (crun and hybrid ones); a daemon without a
network builds in that of the machine."""


def run(*command: str, seconds: float = 600, **environment: str) -> str:
    """What a command prints; its words on failure are the test's failure."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def make_bases(folder: Path) -> dict[str, Path]:
    """Archives of base images, which trust whom this machine trusts; skips where they can't be made."""
    if shutil.which("mmdebstrap") is None:
        pytest.skip("mmdebstrap not here: apt-get install mmdebstrap")
    archives = {}
    for name, packages in BASES.items():
        archives[name] = folder / f"{name.rpartition('-')[2].partition(':')[0]}.tar"
        hook = f'--customize-hook=cp {CERTIFICATES} "$1{CERTIFICATES}"'
        options = ("--quiet", "--variant=minbase", f"--include={packages}", hook)
        run("mmdebstrap", *options, "bookworm", str(archives[name]))
    return archives


class Engine:
    """An engine that builds, and what tests need beside that.

    Attributes:
        name: docker, podman or buildah.
        environment: where it listens.
    """

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name, self.environment = name, environment

    def run(self, *command: str) -> str:
        return run(*command, **self.environment)

    def take(self, name: str, archive: Path) -> None:
        """Make an image of a file system."""
        environment = "PATH=/usr/local/bin:/usr/bin:/bin"
        if self.name != "buildah":
            self.run(self.name, "import", "--change", f"ENV {environment}", str(archive), name)
            return
        container = self.run("buildah", "from", "scratch").strip()
        self.run("buildah", "add", "--quiet", container, str(archive), "/")
        self.run("buildah", "config", "--env", environment, container)
        self.run("buildah", "commit", "--quiet", "--rm", container, name)

    def save_as(self, image: str, name: str, archive: Path) -> None:
        """Write an image into a file, under another name alone."""
        self.run(self.name, "tag", image, name)
        if self.name != "buildah":
            self.run(self.name, "save", "--output", str(archive), name)
            return
        self.run("buildah", "rmi", image)  # only the name: it would be in the file, too
        try:
            self.run("buildah", "push", name, f"docker-archive:{archive}:{name}")
        finally:
            self.run("buildah", "tag", name, image)

    def forget(self, *images: str) -> None:
        """Take images away that it may have."""
        command = [self.name, "rmi", "--force", *images]
        subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, check=False)


@contextmanager
def engine(name: str) -> Iterator[Engine]:
    """The engine, ready to build; skips, with the way to get it, where it is not here."""
    if shutil.which(name) is None:
        package = "docker.io" if name == "docker" else name
        pytest.skip(f"{name} not here: apt-get install {package}")
    if name == "docker" and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        with _daemon() as address:
            yield Engine(name, {"DOCKER_HOST": address, "DOCKER_BUILDKIT": "0"})
    else:
        yield Engine(name, {})


@contextmanager
def _daemon() -> Iterator[str]:
    """A daemon of docker's for this block."""
    if shutil.which("dockerd") is None:
        pytest.skip("docker has no daemon here: apt-get install docker.io, or start yours")
    with TemporaryDirectory(prefix="makima-docker-") as place:
        folder = Path(place)
        address = f"unix://{folder}/socket"
        options = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        options += ["--bridge=none", "--iptables=false", "--ip6tables=false", f"--host={address}"]
        with (folder / "log").open("w") as log, subprocess.Popen(["dockerd", *options], stderr=log) as process:
            try:
                _wait(process, address, folder / "log")
                yield address
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
                _unmount(folder)


def _unmount(folder: Path) -> None:
    """Take away what the daemon leaves mounted in its folder: the name of its network."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((one for one in places if one.startswith(f"{folder}/")), reverse=True):
        run("umount", place)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while subprocess.run(["docker", "--host", address, "info"], capture_output=True, check=False).returncode != 0:
        assert process.poll() is None and time.monotonic() < deadline, f"dockerd: {log.read_text()[-3000:]}"
        time.sleep(0.2)
