"""SQL lives in `queries/*.sql`, in blocks that begin with `-- name: …`; this reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "queries"
NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def load(file: str) -> Mapping[str, bytes]:
    """The named blocks of `queries/<file>.sql`; bytes, since psycopg takes those for trusted SQL.

    Raises:
        ValueError: two blocks have the same name.
    """
    _, *parts = NAME.split((FOLDER / f"{file}.sql").read_text(encoding="utf-8"))
    blocks: dict[str, bytes] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in blocks:
            raise ValueError(f"{file}.sql has two blocks named {name}")
        blocks[name] = body.strip().removesuffix(";").encode()
    return MappingProxyType(blocks)
