"""One layer of an image: a tar of files, the same bytes for the same files."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DIRECTORY_MODE = 0o755


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the image.

    Attributes:
        path: where in the image, without a leading slash.
        source: a file of this machine; symbolic links are followed. None: the text below.
        text: content that no file has.
        mode: permission bits; None takes the source's, made readable for everybody.
        link: for a symbolic link, where it points.
        directory: an empty directory.
    """

    path: str
    source: Path | None = None
    text: str = ""
    mode: int | None = None
    link: str | None = None
    directory: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """A written layer: the file, its SHA-256 in hex, its size in bytes."""

    file: Path
    digest: str
    size: int


def write_layer(entries: Iterable[Entry], folder: Path) -> Layer:
    """Write the layer into a file of this folder; parent directories come by themselves, everything belongs to root."""
    made: set[str] = set()
    fresh = folder / "layer.new"
    with tarfile.open(fresh, "w", format=tarfile.PAX_FORMAT) as tar:
        for entry in sorted(entries, key=lambda one: one.path):
            _add_parents(tar, entry.path, made)
            if entry.path not in made:
                made.add(entry.path)
                _add(tar, entry)
    digest = read_layer(fresh).digest
    return read_layer(fresh.replace(folder / f"{digest}.tar"))


def read_layer(file: Path) -> Layer:
    """A layer that was written before."""
    with file.open("rb") as content:
        return Layer(file, hashlib.file_digest(content, "sha256").hexdigest(), file.stat().st_size)


def _add_parents(tar: tarfile.TarFile, path: str, made: set[str]) -> None:
    parts = path.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        parent = "/".join(parts[:depth])
        if parent not in made:
            made.add(parent)
            tar.addfile(_info(parent, DIRECTORY_MODE, tarfile.DIRTYPE))


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    if entry.directory:
        tar.addfile(_info(entry.path, entry.mode or DIRECTORY_MODE, tarfile.DIRTYPE))
    elif entry.link is not None:
        info = _info(entry.path, 0o777, tarfile.SYMTYPE)
        info.linkname = entry.link
        tar.addfile(info)
    elif entry.source is None:
        content = entry.text.encode()
        info = _info(entry.path, entry.mode or 0o644, tarfile.REGTYPE)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    else:
        with entry.source.open("rb") as content_of:
            info = _info(entry.path, entry.mode or _readable(entry.source), tarfile.REGTYPE)
            info.size = entry.source.stat().st_size
            tar.addfile(info, content_of)


def _info(path: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    """Owner root, time 0: what differs from machine to machine is left out."""
    info = tarfile.TarInfo(path)
    info.mode, info.type = mode, kind
    return info


def _readable(file: Path) -> int:
    """Executable stays executable, for everybody; nothing is writable or set-uid."""
    return 0o755 if file.stat().st_mode & stat.S_IXUSR else 0o644
