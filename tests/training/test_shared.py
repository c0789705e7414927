"""SharedArray: the other end of a pipe maps what was sent, and no file is left."""

from __future__ import annotations

import os
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

from regzoo.training.shared import SharedArray


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.arange(24, dtype=np.float32).reshape(6, 4).T,  # not in C order
        np.array([3, 1, 2]),
    ],
)
def test_what_arrives_is_what_was_sent(array: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ours, theirs = Pipe()
    shared = SharedArray(array)
    shared.send(ours, os.getpid())
    shared.close()
    arrived = SharedArray.receive(theirs)
    ours.close()
    theirs.close()
    np.testing.assert_array_equal(arrived, array, strict=True)
    assert isinstance(arrived, np.memmap)
    assert not arrived.flags.writeable
    assert list(tmp_path.iterdir()) == []
