"""SQL lives in `queries/*.sql`, in blocks that begin with `-- name: …`; this reads them.

What several blocks of a file share is a block before them that begins with `-- part: …`; `{…}` stands for it in theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "queries"
HEAD = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
PLACE = re.compile(r"\{([a-z_]+)\}")


@cache
def load(file: str) -> Mapping[str, bytes]:
    """The named blocks of `queries/<file>.sql`; bytes, since psycopg takes those for trusted SQL.

    Raises:
        ValueError: two blocks have the same name, or one stands for a part that is not there.
    """
    _, *split = HEAD.split((FOLDER / f"{file}.sql").read_text(encoding="utf-8"))
    blocks: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    for kind, name, body in zip(split[::3], split[1::3], split[2::3], strict=True):
        if name in blocks[kind]:
            raise ValueError(f"{file}.sql has two blocks named {name}")
        blocks[kind][name] = _whole(file, body.strip().removesuffix(";"), blocks["part"])
    return MappingProxyType({name: body.encode() for name, body in blocks["name"].items()})


def _whole(file: str, body: str, parts: Mapping[str, str]) -> str:
    for name in PLACE.findall(body):
        if name not in parts:
            raise ValueError(f"{file}.sql uses {{{name}}}, and has no part of that name before it")
    return PLACE.sub(lambda place: parts[place[1]], body)
