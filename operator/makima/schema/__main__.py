"""`python -m makima.schema [ROOT]`: write everything that is generated below ROOT (default: here)."""

from __future__ import annotations

import sys
from pathlib import Path

from makima.schema.chart import FOLDER
from makima.schema.chart_page import chart_page
from makima.schema.output import generated_files


def main(root: Path) -> None:
    """Write the generated files, and say which of them changed."""
    for name, text in (generated_files() | _from_files(root)).items():
        path = root / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {name}")


def _from_files(root: Path) -> dict[str, str]:
    """What follows from files that people write, where they are: the chart's own page."""
    chart = root / FOLDER
    if not (chart / "values.yaml").exists():
        return {}
    values, about = ((chart / name).read_text(encoding="utf-8") for name in ("values.yaml", "Chart.yaml"))
    return {f"{FOLDER}/README.md": chart_page(values, about)}


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
