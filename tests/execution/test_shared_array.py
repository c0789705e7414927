"""`SharedArray`: the receiver maps an equal array, and no file is left."""

from __future__ import annotations

import os
import resource
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

from regzoo.core import EnvironmentFailure
from regzoo.execution.shared_array import SharedArray


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.arange(24, dtype=np.float32).reshape(6, 4).T,  # not in C order
        np.array([3, 1, 2]),
    ],
)
def test_the_receiver_maps_an_equal_array(array: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_full_disk_is_reported_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # no file may be larger
    try:
        with pytest.raises(EnvironmentFailure, match=rf"through {tmp_path} \(File too large\); set the .* TMPDIR"):
            SharedArray(np.zeros(1000, np.float32))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
