"""What an image is made of, as a CycloneDX 1.6 document (ECMA-424): for whoever has to know what runs.

`python -m makima.bill_of_materials` prints it for the Python that runs it; the Dockerfile keeps that in the image.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from typing import Any

FILE = "opt/makima/sbom.cdx.json"
"""Where an image has its own."""


def sbom(name: str, found: Iterable[Distribution], libraries: Sequence[Path] = ()) -> str:
    """The document as JSON; the same parts give the same bytes.

    Args:
        name: of the image.
        found: the distributions in it.
        libraries: system libraries in it, by file, where no package tells their version.
    """
    parts = {_package(one)["bom-ref"]: _package(one) for one in found}
    system = [{"type": "library", "bom-ref": f"file:{file}", "name": file.name} for file in sorted(libraries)]
    python = platform.python_version()
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "container", "bom-ref": "image", "name": name, "version": version("makima-operator")}
        },
        "components": [
            {"type": "application", "bom-ref": "python", "name": sys.implementation.name, "version": python},
            *(parts[key] for key in sorted(parts)),
            *system,
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _package(one: Distribution) -> dict[str, Any]:
    name = one.metadata["Name"].lower().replace("_", "-")
    purl = f"pkg:pypi/{name}@{one.version}"
    expression = one.metadata.json.get("license_expression")
    licenses = {"licenses": [{"expression": expression}]} if expression else {}
    return {"type": "library", "bom-ref": purl, "name": name, "version": one.version, "purl": purl, **licenses}


if __name__ == "__main__":
    sys.stdout.write(sbom("makima-operator", distributions()))
