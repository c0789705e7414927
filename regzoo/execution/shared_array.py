"""`SharedArray`: an array in one file that several processes map, so that it is in memory once."""

from __future__ import annotations

import os
import tempfile
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from regzoo.core import EnvironmentFailure


class SharedArray:
    """A read-only array on disk.

    The file has no name, so it disappears with the last process that holds it, however that process ends.

    Args:
        array: any shape, at least one element.

    Raises:
        EnvironmentFailure: if the file cannot be written, such as on a full disk.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._layout = array.dtype, array.shape
        self._file = tempfile.TemporaryFile(prefix="regzoo-", buffering=0)  # noqa: SIM115  # as long as this object
        left = np.ascontiguousarray(array).data.cast("B")
        try:
            while left:  # ndarray.tofile would not report a disk that is full before the end
                left = left[self._file.write(left) :]
        except OSError as error:
            self._file.close()
            raise EnvironmentFailure(
                f"the data cannot be shared with the workers through {tempfile.gettempdir()} ({error.strerror}); "
                "set the environment variable TMPDIR to another folder"
            ) from None

    def close(self) -> None:
        """Close the file; processes that have received the array keep it."""
        self._file.close()

    def send(self, connection: Connection, process: int) -> None:
        """Send the array over ``connection``, whose other end the process with the id ``process`` holds."""
        connection.send(self._layout)
        reduction.send_handle(connection, self._file.fileno(), process)

    @staticmethod
    def receive(connection: Connection) -> np.ndarray:
        """Return the array that the other end sends, mapped from disk."""
        dtype, shape = connection.recv()
        with os.fdopen(reduction.recv_handle(connection), "rb") as file:
            mapped: Any = np.memmap(file, dtype, mode="r", shape=shape)
            return mapped
