"""SharedArray: an array that several processes map from one file, so that it is in memory once."""

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

    The file has no name: it is gone with the last process that holds it, however that process ends.

    Args:
        array: any shape, at least one element.

    Raises:
        EnvironmentFailure: if the disk does not take it.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._layout = array.dtype, array.shape
        self._file = tempfile.TemporaryFile(prefix="regzoo-", buffering=0)  # noqa: SIM115  # as long as this object
        left = np.ascontiguousarray(array).data.cast("B")
        try:
            while left:  # unlike ndarray.tofile, which says nothing if the end of it finds no room
                left = left[self._file.write(left) :]
        except OSError as error:
            self._file.close()
            raise EnvironmentFailure(
                f"the workers share the data through {tempfile.gettempdir()}, which does not take it "
                f"({error.strerror}): the environment variable TMPDIR names another folder"
            ) from None

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
