"""Files appear complete or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from regzoo.system.atomic import write_text_atomic


def test_a_file_is_written_completely_or_left_as_it_was(tmp_path: Path) -> None:
    write_text_atomic(tmp_path / "a.txt", "old\n")
    with pytest.raises(UnicodeEncodeError):
        write_text_atomic(tmp_path / "a.txt", "new \ud800")  # half of a character, which UTF-8 cannot write
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"old\n")]
