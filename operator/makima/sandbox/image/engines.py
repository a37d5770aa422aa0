"""`make image`: with the container engine that is there, else without one; with an SBOM, and its size told."""

from __future__ import annotations

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
Run = Callable[[list[str]], str]


def engine(works: Callable[[list[str]], bool]) -> str | None:
    """The first engine that is installed and answers; a docker client without its daemon can't build."""
    return next((name for name in ENGINES if works([name, "info"])), None)


@dataclass(frozen=True, slots=True)
class Commands:
    """What an engine has to do: build, print the SBOM, write the image into one file, print the size."""

    build: list[str]
    sbom: list[str]
    save: list[str]
    size: list[str]


def commands(name: str, image: str, archive: Path, build_arguments: tuple[str, ...] = ()) -> Commands:
    """The command lines of an engine; the archive is the one that `docker load` and `makima sandbox load` take."""
    arguments = [part for one in build_arguments for part in ("--build-arg", one)]
    build = [name, "build", *arguments, "--tag", image, "--file", "Dockerfile", "."]
    if name == "buildah":
        script = f'c=$(buildah from {image}) && buildah run "$c" cat /{FILE}; s=$?; buildah rm "$c" >/dev/null; exit $s'
        save = ["buildah", "push", image, f"docker-archive:{archive}:{image}"]
        return Commands(build, ["sh", "-c", script], save, ["buildah", "images", "--format", "{{.Size}}", image])
    shown = [name, "run", "--rm", "--network=none", "--entrypoint=cat", image, f"/{FILE}"]
    size = [name, "image", "inspect", "--format", "{{.Size}}", image]
    return Commands(build, shown, [name, "save", "--output", str(archive), image], size)


def make_image(folder: Path, build_arguments: tuple[str, ...] = ()) -> list[str]:
    """Build the image; its archive and its SBOM are in the folder.

    Returns:
        What was made, in lines for a person.

    Raises:
        SandboxError: the engine failed, or there is none and this machine can't make one; says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive, sbom = folder / "makima-operator.tar", folder / "makima-operator.cdx.json"
    found = engine(_works)
    if found is None:
        write_makima_image(archive, sbom=sbom)
        made = f"without an engine (none of {', '.join(ENGINES)} works)"
    else:
        wanted = commands(found, image_name(), archive, build_arguments)
        _run(wanted.build)
        sbom.write_text(_run(wanted.sbom))
        archive.unlink(missing_ok=True)  # engines add to one that is there, or refuse
        _run(wanted.save)
        made = f"in {found}, size {_run(wanted.size).strip()}"
    told = f"archive: {archive}, {archive.stat().st_size / 1e6:.0f} MB"
    return [f"{image_name()}: {made}", told, f"SBOM: {sbom}"]


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
