"""Image archives: what is in them, and that the same files make the same bytes."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from makima.sandbox.folders import SandboxError
from makima.sandbox.image.archive import Configuration, write_archive
from makima.sandbox.image.layer import Entry, write_layer
from makima.sandbox.node.images import archive_names

NAME = "localhost/example:1.2"


def write(folder: Path, name: str = "image.tar") -> Path:
    program = folder / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o4750)
    entries = [
        Entry("usr/bin/program", program),
        Entry("usr/bin/alias", link="program"),
        Entry("etc/motd", text="hello\n"),
        Entry("tmp", directory=True, mode=0o1777),
        Entry("etc/motd", text="a second of the same path is left out"),
    ]
    configuration = Configuration(("/usr/bin/program", "-x"), "65532:65532", {"A": "b"})
    return write_archive(folder / name, NAME, configuration, [write_layer(entries, folder)])


def read(archive: Path, path: str) -> bytes:
    with tarfile.open(archive) as tar:
        content = tar.extractfile(path)
        assert content is not None
        return content.read()


def follow(archive: Path, descriptor: dict[str, Any]) -> bytes:
    """A blob by its descriptor, which has to tell the truth about it."""
    content = read(archive, f"blobs/{descriptor['digest'].replace(':', '/')}")
    assert len(content) == descriptor["size"]
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == descriptor["digest"]
    return content


def test_an_archive_is_an_oci_layout_that_leads_to_every_blob(tmp_path: Path) -> None:
    archive = write(tmp_path)
    (entry,) = json.loads(read(archive, "index.json"))["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == NAME
    manifest = json.loads(follow(archive, entry))
    configuration = json.loads(follow(archive, manifest["config"]))
    assert configuration["config"]["User"] == "65532:65532"
    assert configuration["config"]["Entrypoint"] == ["/usr/bin/program", "-x"]
    assert configuration["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    assert follow(archive, manifest["layers"][0])
    assert archive_names(archive) == [NAME]


def test_files_belong_to_root_can_be_read_by_all_and_written_by_nobody(tmp_path: Path) -> None:
    archive = write(tmp_path)
    (layer,) = json.loads(read(archive, "manifest.json"))[0]["Layers"]
    with tarfile.open(archive) as tar, tarfile.open(fileobj=tar.extractfile(layer)) as files:
        found = {one.name: (oct(one.mode), one.uid, one.mtime, one.linkname) for one in files}
    assert found == {
        "etc": ("0o755", 0, 0, ""),
        "etc/motd": ("0o644", 0, 0, ""),
        "tmp": ("0o1777", 0, 0, ""),
        "usr": ("0o755", 0, 0, ""),
        "usr/bin": ("0o755", 0, 0, ""),
        "usr/bin/alias": ("0o777", 0, 0, "program"),
        "usr/bin/program": ("0o755", 0, 0, ""),
    }


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    assert write(tmp_path, "one.tar").read_bytes() == write(tmp_path, "two.tar").read_bytes()


@pytest.mark.parametrize("content", [b"", b"text", b"\0" * 1024])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(SandboxError, match="is no image archive"):
        archive_names(tmp_path / "x.tar")
