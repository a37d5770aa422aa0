"""`python -m makima.schema [ROOT]`: write everything that is generated below ROOT (default: here)."""

from __future__ import annotations

import sys
from pathlib import Path

from makima.schema.output import generated_files


def main(root: Path) -> None:
    """Write the generated files, and say which of them changed."""
    for name, text in generated_files().items():
        path = root / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
