"""Images of a node: imported from archives, as nothing is pulled."""

from __future__ import annotations

import subprocess
from pathlib import Path

from makima.sandbox.folders import SandboxError
from makima.sandbox.image.archive import Configuration, Entry, write_archive
from makima.sandbox.node.layout import CONTAINERD_SOCKET, PAUSE_IMAGE, Layout

IMPORT_SECONDS = 300


def write_pause_image(layout: Layout) -> Path:
    """The image of each pod's first process: one program, nothing else."""
    program = (layout.programs / "pause").resolve()
    configuration = Configuration(("/pause",), user="65535:65535")
    return write_archive(layout.folder / "pause.tar", PAUSE_IMAGE, configuration, [[Entry("pause", program)]])


def import_image(layout: Layout, archive: Path) -> str:
    """Give an archive to containerd of the node.

    Returns:
        The image's name.

    Raises:
        SandboxError: no such file, or containerd refused it; carries its words.
    """
    if not archive.is_file():
        raise SandboxError(f"there is no image archive {archive}", "makima sandbox image --out FILE writes one")
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
    return done.stdout.strip()
