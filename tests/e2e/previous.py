"""The previous release. None is published yet, so it is a commit of this repository's own history.

The first one with a chart: CRDs and policies of edition 2, the history at migration 0007, no aggregated API. An upgrade
from it changes all of these. Chart and image are made of that commit's files, the image with today's dependencies.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

COMMIT = "741fa4d891725c40d1d4ebca9c01c2c667411b7f"
EDITION, MIGRATION, TAG = "2", "0007", "previous"
ROOT = Path(__file__).parents[2]
WRITE = """
import sys
from pathlib import Path
import makima
from makima.sandbox.image import makima_image
assert Path(makima.__file__).is_relative_to(sys.argv[2]), makima.__file__
makima_image.image_name = lambda: sys.argv[3]
makima_image.write_makima_image(Path(sys.argv[1]))
"""


@dataclass(frozen=True, slots=True)
class Previous:
    """Chart and image archive of the previous release."""

    chart: Path
    archive: Path
    image: str


def previous_release(folder: Path) -> Previous:
    """Write both into the folder; a clone without this commit skips the test, and says so."""
    source, image = folder / "source", f"localhost/makima-operator:{TAG}"
    asked = subprocess.run(["git", "-C", str(ROOT), "archive", COMMIT], capture_output=True, check=False, timeout=120)
    if asked.returncode != 0:
        pytest.skip(f"this checkout has no commit {COMMIT[:7]}, the previous release: {asked.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(asked.stdout)) as tar:
        tar.extractall(source, filter="data")
    environment = {**os.environ, "PYTHONPATH": str(source / "operator")}
    archive = folder / "previous.tar"
    command = [sys.executable, "-c", WRITE, str(archive), str(source), image]
    subprocess.run(command, env=environment, cwd=folder, check=True, timeout=300)
    return Previous(source / "helm" / "makima", archive, image)
