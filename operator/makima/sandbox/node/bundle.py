"""Taking the seccomp profile out of a container's bundle, for a runc that was built without libseccomp.

Run as a file, once for each container: it imports nothing of makima.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path


def remove_seccomp(arguments: Sequence[str]) -> None:
    """Change config.json of the bundle that `runc … create --bundle FOLDER …` names."""
    folder = Path(arguments[arguments.index("--bundle") + 1]) if "--bundle" in arguments else Path.cwd()
    file = folder / "config.json"
    content = json.loads(file.read_text())
    if content.get("linux", {}).pop("seccomp", None) is not None:
        file.write_text(json.dumps(content))


if __name__ == "__main__":
    remove_seccomp(sys.argv[1:])
