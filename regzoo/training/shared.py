"""SharedArray: an array that several processes map from one file, so that it is in memory once."""

from __future__ import annotations

import os
import tempfile
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np


class SharedArray:
    """A read-only array on disk.

    The file has no name: it is gone with the last process that holds it, however that process ends.

    Args:
        array: any shape, at least one element.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._file = tempfile.TemporaryFile(prefix="regzoo-")  # noqa: SIM115  # as long as this object
        self._layout = array.dtype, array.shape
        np.ascontiguousarray(array).tofile(self._file)
        self._file.flush()

    def close(self) -> None:
        """Let go of it; who has received it keeps it."""
        self._file.close()

    def send(self, connection: Connection, process: int) -> None:
        """Hand the array to the other end of ``connection``, which is held by the process numbered ``process``."""
        connection.send(self._layout)
        reduction.send_handle(connection, self._file.fileno(), process)

    @staticmethod
    def receive(connection: Connection) -> np.ndarray:
        """The array that the other end sends, mapped from disk."""
        dtype, shape = connection.recv()
        with os.fdopen(reduction.recv_handle(connection), "rb") as file:
            mapped: Any = np.memmap(file, dtype, mode="r", shape=shape)
            return mapped
