"""YAML that tests read: a rendered chart is a thousand lines, and is read hundreds of times a run."""

from __future__ import annotations

from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it: ten times as fast."""


def documents(text: str) -> list[Any]:
    """All documents of a text, without the empty ones."""
    return [item for item in yaml.load_all(text, LOADER) if item]
