"""`make image`: with the container engine that is there, else without one; with an SBOM, and its size told."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from makima.bill_of_materials import FILE
from makima.sandbox.folders import SandboxError
from makima.sandbox.image.makima_image import image_name, write_makima_image

ENGINES = ("docker", "podman", "buildah")
NONE = "none"
Run = Callable[[list[str]], str]


def engine(works: Callable[[list[str]], bool]) -> str | None:
    """The first engine that is installed and answers; a docker client without its daemon can't build."""
    return next((name for name in ENGINES if works([name, "info"])), None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person may say about the build.

    Attributes:
        engine: which engine builds; empty: the first that answers; `none`: none of them.
        options: further options of `ENGINE build`, for example `--network=host`.
        build_arguments: `NAME=VALUE` for the Dockerfile.
    """

    engine: str = ""
    options: tuple[str, ...] = ()
    build_arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commands:
    """What an engine has to do: build, copy the SBOM out, write the image into one file, print the size in bytes."""

    build: list[str]
    sbom: list[str]
    save: list[str]
    size: list[str]


def commands(name: str, image: str, archive: Path, sbom: Path, wanted: Wanted) -> Commands:
    """The command lines of an engine; the archive is the one that `docker load` and `makima sandbox load` take."""
    arguments = [part for one in wanted.build_arguments for part in ("--build-arg", one)]
    build = [name, "build", *wanted.options, *arguments, "--tag", image, "--file", "Dockerfile", "."]
    return Commands(
        build, ["sh", "-c", _copy_out(name, image, shlex.quote(str(sbom)))], *_given_out(name, image, archive)
    )


def _copy_out(name: str, image: str, to: str) -> str:
    """A shell script that takes the SBOM out of an image; where builds are allowed, running containers need not be."""
    if name == "buildah":
        taken = f'buildah run --isolation=chroot "$c" cat /{FILE} > {to}'
        return f'c=$(buildah from {image}) && {taken}; s=$?; buildah rm "$c"; exit $s'
    return f'c=$({name} create {image}) && {name} cp "$c:/{FILE}" {to}; s=$?; {name} rm "$c"; exit $s'


def _given_out(name: str, image: str, archive: Path) -> tuple[list[str], list[str]]:
    if name == "buildah":
        save = ["buildah", "push", image, f"docker-archive:{archive}:{image}"]
        return save, ["buildah", "images", "--format", "{{.Size}}", image]
    size = [name, "image", "inspect", "--format", "{{.Size}}", image]
    return [name, "save", "--output", str(archive), image], size


def make_image(folder: Path, wanted: Wanted | None = None) -> list[str]:
    """Build the image; its archive and its SBOM are in the folder.

    Returns:
        What was made, in lines for a person.

    Raises:
        SandboxError: the engine failed or does not answer, or there is none and this machine can't make one; says why.
    """
    wanted = wanted or Wanted()
    folder.mkdir(parents=True, exist_ok=True)
    archive, sbom = folder / "makima-operator.tar", folder / "makima-operator.cdx.json"
    found = engine(_works) if not wanted.engine else _named(wanted.engine)
    if found is None:
        write_makima_image(archive, sbom=sbom)
        made = f"without an engine (none of {', '.join(ENGINES)} {'was wanted' if wanted.engine else 'works'})"
    else:
        made = _build(found, commands(found, image_name(), archive, sbom, wanted), archive)
    told = f"archive: {archive}, {archive.stat().st_size / 1e6:.0f} MB"
    return [f"{image_name()}: {made}", told, f"SBOM: {sbom}"]


def _named(name: str) -> str | None:
    if name == NONE:
        return None
    if name not in ENGINES:
        raise SandboxError(f"{name} is no engine that this knows", f"one of {', '.join((*ENGINES, NONE))}")
    if not _works([name, "info"]):
        raise SandboxError(f"{name} does not answer", f"`{name} info` says why; ENGINE=none builds without")
    return name


def _build(name: str, todo: Commands, archive: Path) -> str:
    _run(todo.build)
    _run(todo.sbom)
    archive.unlink(missing_ok=True)  # engines add to one that is there, or refuse
    _run(todo.save)
    return f"in {name}, size {_run(todo.size).strip()}"


def _works(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def _run(command: list[str]) -> str:
    print(" ".join(command), file=sys.stderr)  # a person waits
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"{command[0]} ended with {done.returncode}", "its own words are above")
    return done.stdout
