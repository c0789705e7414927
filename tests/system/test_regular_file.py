"""Only ordinary files are read: pipes and devices are neither waited for nor read without end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regzoo.system import regular_file
from regzoo.system.regular_file import read_regular_file


def test_a_file_and_a_link_to_it_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 1000)
    (tmp_path / "link").symlink_to("file")
    assert read_regular_file(tmp_path / "file") == read_regular_file(tmp_path / "link") == bytes(range(256)) * 1000


def test_pipes_devices_and_folders_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for path, kind in (
        (tmp_path / "pipe", "a pipe or a device"),
        (tmp_path / "link", "a pipe or a device"),
        (Path("/dev/zero"), "a pipe or a device"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(OSError, match=f"it is {kind}, and no file"):
            read_regular_file(path)
    with pytest.raises(FileNotFoundError):
        read_regular_file(tmp_path / "missing")


def test_what_does_not_fit_into_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)  # it takes no room on the disk
    with pytest.raises(OSError, match=r"it is 1,099\.5 GB large"):
        read_regular_file(tmp_path / "large")
    (tmp_path / "small").write_bytes(bytes(10))
    assert read_regular_file(tmp_path / "small", most=10) == bytes(10)
    with pytest.raises(OSError, match="large"):
        read_regular_file(tmp_path / "small", most=9)
    monkeypatch.setattr(regular_file, "get_available_memory", lambda: 9)
    with pytest.raises(OSError, match="large"):
        read_regular_file(tmp_path / "small")
