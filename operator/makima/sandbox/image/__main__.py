"""`python -m makima.sandbox.image` (`make image`): build makima's image from this checkout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from makima.errors import MakimaError
from makima.sandbox.image.engines import ENGINES, NONE, Wanted, make_image


def parse(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="makima.sandbox.image", description="Build makima's image from this checkout."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("dist"), help="for archive and SBOM")
    parser.add_argument("--engine", default="", help=f"{', '.join((*ENGINES, NONE))} (default: the first that answers)")
    parser.add_argument("--options", default="", help="further options of the engine's build, separated by spaces")
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE", help="for the Dockerfile")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Build, and say what was made."""
    asked = parse(arguments)
    wanted = Wanted(asked.engine, tuple(asked.options.split()), tuple(asked.build_arg))
    try:
        made = make_image(asked.folder, wanted)
    except MakimaError as error:
        sys.stderr.write(f"error: {error.message}\n  next: {error.hint}\n")
        return 1
    sys.stdout.write("\n".join(made) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
