"""A digest at the end of HTML and SVG files, by which a file that nobody changed is known as regzoo's."""

from __future__ import annotations

import hashlib
import re

from regzoo.system.replace import OutputKind

_SEAL = re.compile(rb"<!-- regzoo (\w+), sha256 of all above: ([0-9a-f]{64}) -->\n")
_LENGTH = 200  # bytes at the end of a file in which the seal is


def add_seal(text: str, title: str) -> str:
    """Return ``text``, HTML or SVG, with a seal that names what it is in one word, ``title``."""
    text = text if text.endswith("\n") else f"{text}\n"
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{text}<!-- regzoo {title}, sha256 of all above: {digest} -->\n"


def has_seal(content: bytes, title: str) -> bool:
    """Return whether a file has the seal that `add_seal` gave it, and was not changed since."""
    start = max(len(content) - _LENGTH, 0)
    seal = next((found for found in _SEAL.finditer(content, start) if found.end() == len(content)), None)
    if seal is None or seal[1] != title.encode():
        return False
    return hashlib.sha256(content[: seal.start()]).hexdigest().encode() == seal[2]


REPORT = OutputKind("report", lambda content: has_seal(content, "report"))
"""The page that `Result.report` writes."""
