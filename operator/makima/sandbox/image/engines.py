"""`make image`: with the container engine that is there, else without one; with an SBOM, and its size told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from makima.bill_of_materials import FILE
from makima.sandbox.folders import SandboxError
from makima.sandbox.image.makima_image import image_name, write_makima_image

ENGINES = ("docker", "podman", "buildah")
Run = Callable[[list[str]], str]


def engine(works: Callable[[list[str]], bool]) -> str | None:
    """The first engine that is installed and answers; a docker client without its daemon can't build."""
    return next((name for name in ENGINES if works([name, "info"])), None)


def commands(name: str, image: str, build_arguments: tuple[str, ...] = ()) -> list[list[str]]:
    """What an engine has to do: build, print the SBOM, print the size."""
    arguments = [part for one in build_arguments for part in ("--build-arg", one)]
    build = [name, "build", *arguments, "--tag", image, "--file", "Dockerfile", "."]
    if name == "buildah":
        shown = ["sh", "-c", f'c=$(buildah from {image}) && buildah run "$c" cat /{FILE}; buildah rm "$c" >/dev/null']
        return [build, shown, ["buildah", "images", "--format", "{{.Size}}", image]]
    shown = [name, "run", "--rm", "--network=none", "--entrypoint=cat", image, f"/{FILE}"]
    return [build, shown, [name, "image", "inspect", "--format", "{{.Size}}", image]]


def make_image(folder: Path, build_arguments: tuple[str, ...] = ()) -> list[str]:
    """Build the image, and write its SBOM into the folder.

    Returns:
        What was made, in lines for a person.

    Raises:
        SandboxError: the engine failed, or there is none and this machine can't make one; says why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sbom = folder / "makima-operator.cdx.json"
    found = engine(_works)
    if found is None:
        archive = folder / "makima-operator.tar"
        write_makima_image(archive, sbom=sbom)
        size = f"{archive.stat().st_size / 1e6:.0f} MB"
        return [
            f"{image_name()}: {archive}, {size}, without an engine (none of {', '.join(ENGINES)} works)",
            f"SBOM: {sbom}",
        ]
    build, shown, size_of = commands(found, image_name(), build_arguments)
    _run(build)
    sbom.write_text(_run(shown))
    return [f"{image_name()}: in {found}, size {_run(size_of).strip()}", f"SBOM: {sbom}"]


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
