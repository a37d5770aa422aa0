"""An image archive: an OCI image layout that `docker load` takes as well.

OCI image-spec 1.1: image-layout.md, manifest.md, config.md; manifest.json is what `docker save` writes beside them.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from makima.sandbox.image.layer import Layer

INDEX, MANIFEST = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"
CONFIG, LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"
CREATED = "1970-01-01T00:00:00Z"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a container of the image runs.

    Attributes:
        entrypoint: command and first arguments.
        user: UID:GID as numbers, so that kubelet can see that it isn't root.
        environment: variables.
        folder: where it starts.
    """

    entrypoint: tuple[str, ...]
    user: str
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"


def write_archive(file: Path, name: str, configuration: Configuration, layers: Sequence[Layer]) -> Path:
    """Write an image under this name (with tag) into one file, complete or not at all.

    The same files give the same bytes.
    """
    fresh = file.with_name(f".{file.name}.new")
    _write(fresh, name, _configuration(configuration, layers), layers)
    return fresh.replace(file)


def _write(file: Path, name: str, configuration: bytes, layers: Sequence[Layer]) -> None:
    described = [_described(LAYER, layer.digest, layer.size) for layer in layers]
    manifest = _json({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": _of(CONFIG, configuration), "layers": described,
    })  # fmt: skip
    names = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [_of(MANIFEST, manifest) | {"annotations": names}]}
    saved = [{
        "Config": _blob(_digest(configuration)),
        "RepoTags": [name],
        "Layers": [_blob(layer.digest) for layer in layers],
    }]  # fmt: skip
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in (
            ("oci-layout", _json({"imageLayoutVersion": "1.0.0"})),
            ("index.json", _json(index)),
            ("manifest.json", _json(saved)),
            (_blob(_digest(configuration)), configuration),
            (_blob(_digest(manifest)), manifest),
        ):
            _add(tar, path, len(content), io.BytesIO(content))
        for digest, layer in {layer.digest: layer for layer in layers}.items():
            with layer.file.open("rb") as content_of:
                _add(tar, _blob(digest), layer.size, content_of)


def _configuration(wanted: Configuration, layers: Sequence[Layer]) -> bytes:
    machine = platform.machine()
    return _json({
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": CREATED,
        "config": {
            "User": wanted.user,
            "Entrypoint": list(wanted.entrypoint),
            "Env": [f"{key}={value}" for key, value in wanted.environment.items()],
            "WorkingDir": wanted.folder,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [{"created": CREATED, "created_by": "makima sandbox image"} for _ in layers],
    })  # fmt: skip


def _add(tar: tarfile.TarFile, path: str, size: int, content: Any) -> None:
    info = tarfile.TarInfo(path)
    info.size = size
    tar.addfile(info, content)


def _of(kind: str, content: bytes) -> dict[str, Any]:
    return _described(kind, _digest(content), len(content))


def _described(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": size}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
