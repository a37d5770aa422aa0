"""Others' words as they are: nothing in them steers the terminal, and nothing in them is markup.

Questions, activities and failures are written by agents. An escape sequence in one would reach the terminal, and hide
or forge what a person approves; a bracket would be read as Textual's markup, and end the monitor.
"""

from __future__ import annotations

import re

from rich.text import Text

STEERING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
"""Control characters but the end of a line, and those that are not seen or turn the direction of writing."""


def harmless(said: str | Text) -> Text:
    """The same text with its styles; each character that steers is a blank."""
    text = said.copy() if isinstance(said, Text) else Text(said)
    text.plain = STEERING.sub(" ", text.plain)
    return text
