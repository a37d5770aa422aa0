"""Images of a node: imported from archives, as nothing is pulled."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

from makima.sandbox.folders import SandboxError
from makima.sandbox.image.archive import Configuration, write_archive
from makima.sandbox.image.layer import Entry, write_layer
from makima.sandbox.node.layout import CONTAINERD_SOCKET, PAUSE_IMAGE, Layout

IMPORT_SECONDS = 300


def write_pause_image(layout: Layout) -> Path:
    """The image of each pod's first process: one program, nothing else."""
    program = (layout.programs / "pause").resolve()
    layer = write_layer([Entry("pause", program)], layout.folder)
    configuration = Configuration(("/pause",), user="65535:65535")
    return write_archive(layout.folder / "pause.tar", PAUSE_IMAGE, configuration, [layer])


def import_image(layout: Layout, archive: Path) -> list[str]:
    """Give an archive to containerd of the node.

    Returns:
        The names of its images.

    Raises:
        SandboxError: no such file, no archive, or containerd refused it; carries its words.
    """
    if not archive.is_file():
        raise SandboxError(f"there is no image archive {archive}", "makima sandbox image --out FILE writes one")
    names = archive_names(archive)
    # The socket is in the node's own /run; its process 1 shows the way there.
    socket = f"/proc/{layout.init.read_text()}/root{CONTAINERD_SOCKET}"
    command = [str(layout.programs / "ctr"), "--address", socket, "--namespace", "k8s.io"]
    command += ["images", "import", "--local=false", str(archive)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=IMPORT_SECONDS)
    except subprocess.TimeoutExpired:
        raise SandboxError(
            f"{archive} was not imported within {IMPORT_SECONDS} s", "look at node/containerd.log"
        ) from None
    if done.returncode != 0:
        raise SandboxError(f"{archive} can't be imported: {done.stderr.strip()[-500:]}", "is it an image archive?")
    return names


def archive_names(archive: Path) -> list[str]:
    """What the images in an archive are called (manifest.json, which `docker save` and we write).

    Raises:
        SandboxError: it is no such archive.
    """
    try:
        with tarfile.open(archive) as tar:
            content = tar.extractfile("manifest.json")
            assert content is not None
            return [name for image in json.load(content) for name in image["RepoTags"] or ()]
    except (tarfile.TarError, KeyError, ValueError, AssertionError) as error:
        raise SandboxError(
            f"{archive} is no image archive: {error or 'manifest.json is no file'}",
            "write one with `makima sandbox image --out FILE` or `docker save`",
        ) from None
