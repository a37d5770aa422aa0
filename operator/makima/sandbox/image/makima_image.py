"""The image for supervisors and for makima's own processes, from what runs here: no Docker, no base image.

This very Python, the distributions that makima requires and the system libraries that these need, each where it is
here; makima itself as a second layer, so that the first, which takes most of the time, is kept for later.
"""

from __future__ import annotations

import compileall
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, version
from itertools import chain
from pathlib import Path
from py_compile import PycInvalidationMode

import makima
from makima.bill_of_materials import FILE as SBOM_FILE
from makima.bill_of_materials import sbom as sbom_of
from makima.sandbox.folders import SandboxError, cache_folder
from makima.sandbox.image.archive import Configuration, write_archive
from makima.sandbox.image.distributions import installed_files, required_distributions
from makima.sandbox.image.interpreter import interpreter, python_files, standard_library
from makima.sandbox.image.layer import Entry, Layer, read_layer, write_layer
from makima.sandbox.image.shared_libraries import loader_of, shared_libraries
from makima.sandbox.locking import exclusive

DISTRIBUTION = "makima-operator"
EXTRAS = ("agents",)
"""What agent programs in pods need besides: `makima supervise` gives them tools."""

USER = 65532
PACKAGES = "opt/makima"
FORMAT = "1"
ACCOUNTS = f"root:x:0:0::/root:/none\nmakima:x:{USER}:{USER}::/tmp:/none\n"
COMMANDS = ("python", "python3")


def image_name() -> str:
    """Name and tag of the image of this version of makima."""
    return f"localhost/{DISTRIBUTION}:{version(DISTRIBUTION)}"


def write_makima_image(
    file: Path,
    commands: Sequence[str] = (),
    sbom: Path | None = None,
    *,
    name: str | None = None,
    files: Mapping[str, Path] | None = None,
) -> str:
    """Write the image as an archive.

    Args:
        file: where to.
        commands: programs of this machine that are to be in it too, for example git.
        sbom: where to write what it is made of (CycloneDX); it is in the image as well.
        name: of the image, with a tag; default: `image_name()`.
        files: further files by their path in the image, for example an agent program; in a layer of their own.

    Returns:
        The image's name.

    Raises:
        SandboxError: this machine can't make one; says why.
    """
    if sys.platform != "linux":
        raise SandboxError(f"an image for Linux can't be made of the Python of {sys.platform}", "make it on Linux")
    programs = [_program(command) for command in commands]
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".image-", dir=file.parent) as scratch:
        parts = _sbom(programs)
        if sbom is not None:
            sbom.write_text(parts)
        own = write_layer(chain(_makima(Path(scratch) / "own"), [Entry(SBOM_FILE, text=parts)]), Path(scratch))
        layers = [_base_layer(programs), own]
        if files:
            entries = (Entry(path.lstrip("/"), source) for path, source in files.items())
            layers.append(write_layer(entries, Path(scratch)))
        write_archive(file, name or image_name(), _configuration(), layers)
    return name or image_name()


def _configuration() -> Configuration:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108 - the only folder that a pod with a read-only root may write to
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"/{PACKAGES}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Configuration(("/usr/local/bin/python", "-m", "makima"), f"{USER}:{USER}", environment)


def _base_layer(programs: Sequence[Path]) -> Layer:
    """Python, libraries and distributions; from the cache if nothing of that changed."""
    folder = cache_folder() / "images"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive(folder / "image.lock"):
        kept = folder / f"base-{_fingerprint(programs)}.tar"
        if not kept.exists():
            with tempfile.TemporaryDirectory(prefix=".base-", dir=folder) as scratch:
                layer = write_layer(_base(Path(scratch) / "root", programs), Path(scratch))
                layer.file.replace(kept)
        return read_layer(kept)


def _fingerprint(programs: Sequence[Path]) -> str:
    """Of what the first layer is made of: versions, and the files that are no part of a distribution."""
    parts = [FORMAT, sys.version, *(f"{item}={one.version}" for item, one in _dependencies().items())]
    parts += [f"{file}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in (interpreter(), *programs)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _dependencies() -> dict[str, Distribution]:
    """Everything but makima itself, in a fixed order."""
    found = sorted(required_distributions(DISTRIBUTION, EXTRAS).items())
    return {name: one for name, one in found if name != DISTRIBUTION}


def _base(root: Path, programs: Sequence[Path]) -> Iterable[Entry]:
    python = interpreter()
    packages = _packages()
    files = [(str(file).lstrip("/"), file) for file in (python, *programs, *standard_library())] + packages
    files += [(str(file).lstrip("/"), file) for file in _libraries(python, programs, packages)]
    yield from _compiled(root, files)
    yield from (Entry(f"usr/local/bin/{name}", link=str(python)) for name in COMMANDS)
    yield Entry("etc/passwd", text=ACCOUNTS)
    yield Entry("etc/group", text=f"root:x:0:\nmakima:x:{USER}:\n")
    yield Entry("etc/nsswitch.conf", text="passwd: files\ngroup: files\nhosts: files dns\n")
    yield Entry("tmp", directory=True, mode=0o1777)


def _packages() -> list[tuple[str, Path]]:
    """Path in the image and file, of every dependency."""
    return [(f"{PACKAGES}/{path}", file) for one in _dependencies().values() for path, file in installed_files(one)]


def _libraries(python: Path, programs: Sequence[Path], packages: Sequence[tuple[str, Path]]) -> list[Path]:
    """The loader, and the system libraries that Python, programs and packages need and do not bring along."""
    files = [*standard_library(), *(file for _, file in packages)]
    loader = loader_of(python)
    found = shared_libraries(loader, [python, *programs, *(file for file in files if ".so" in file.name)])
    bundled = {file.resolve() for _, file in packages}
    return [loader, *sorted(file for file in found if file.resolve() not in bundled)]


def _sbom(programs: Sequence[Path]) -> str:
    found = required_distributions(DISTRIBUTION, EXTRAS).values()
    return sbom_of(image_name(), found, [*programs, *_libraries(interpreter(), programs, _packages())])


def _makima(root: Path) -> Iterable[Entry]:
    """makima's own package and what its metadata says."""
    package = Path(makima.__file__).parent
    files = [(f"{PACKAGES}/makima/{file.relative_to(package)}", file) for file in python_files(package)]
    own = required_distributions(DISTRIBUTION)[DISTRIBUTION]
    files += [(f"{PACKAGES}/{path}", file) for path, file in installed_files(own) if ".dist-info/" in path]
    return _compiled(root, files)


def _compiled(root: Path, files: Iterable[tuple[str, Path]]) -> Iterable[Entry]:
    """The files, and each module compiled: nobody can write to an image later, and each start would compile anew."""
    entries = {path: Entry(path, file) for path, file in files}
    for path, entry in entries.items():
        if path.endswith(".py") and entry.source is not None:
            copy = root / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(entry.source, copy)
    unchecked = PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(root, quiet=2, workers=2, stripdir=str(root), prependdir="/", invalidation_mode=unchecked)
    yield from entries.values()
    for made in sorted(root.rglob("*.pyc")):
        yield Entry(str(made.relative_to(root)), made)


def _program(command: str) -> Path:
    found = shutil.which(command)
    if found is None:
        raise SandboxError(f"{command} is not on PATH", "install it, or leave out --with")
    return Path(found)
