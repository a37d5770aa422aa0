"""`python -m makima.sandbox.image [FOLDER] [BUILD-ARG…]` (`make image`): build makima's image from this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from makima.errors import MakimaError
from makima.sandbox.image.engines import make_image


def main(arguments: list[str]) -> int:
    """Build, and say what was made."""
    try:
        made = make_image(Path(arguments[0] if arguments else "dist"), tuple(arguments[1:]))
    except MakimaError as error:
        sys.stderr.write(f"error: {error.message}\n  next: {error.hint}\n")
        return 1
    sys.stdout.write("\n".join(made) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
