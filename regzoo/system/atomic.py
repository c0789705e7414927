"""Files that appear complete or not at all."""

from __future__ import annotations

from pathlib import Path

from regzoo.system.temporary_folder import temporary_sibling


def write_text_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path``; if that fails, the old file is left as it was."""
    with temporary_sibling(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
