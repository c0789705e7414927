"""Messages between a process and its workers, such that no worker, alive, suspended or dead, can block the process.

A worker may be suspended or killed in the middle of a message, and a process that it started may keep its pipe open. So
the process never waits for the rest of a message, and what it sends waits in a thread.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import socket
import struct
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

_LENGTH = struct.Struct("!Q")
_CHUNK = 1 << 20


def write_message(connection: Connection, message: Any) -> None:
    """Write ``message`` for the `MessageReader` at the other end; wait until it is written."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    for part in (_LENGTH.pack(len(body)), body):
        left = memoryview(part)
        while left:
            left = left[os.write(connection.fileno(), left) :]


class MessageReader:
    """Reads the messages of `write_message` without ever waiting.

    Attributes:
        ended: whether the other end is closed: nothing more will come.
    """

    def __init__(self, connection: Connection) -> None:
        self.ended = False
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self._buffer = bytearray()

    def read(self) -> list[Any]:
        """Return the messages that are here; keep the beginning of one that is not complete."""
        while not self.ended:
            try:
                chunk = self._socket.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionError:
                chunk = b""
            self.ended = not chunk
            self._buffer += chunk
        messages = []
        while (message := self._take()) is not None:
            messages.append(pickle.loads(message))
        return messages

    def _take(self) -> bytes | None:
        """Remove the first message from the buffer; None if it is not complete."""
        if len(self._buffer) < _LENGTH.size:
            return None
        end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return message

    def close(self) -> None:
        """Close the pipe for both directions, also for whoever waits in it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Sender:
    """A thread that makes calls one after the other, each of which may wait for the other end of a pipe.

    Attributes:
        error: why a call failed, except that the reader is dead; nothing is sent after it.
    """

    def __init__(self) -> None:
        self.error: OSError | None = None
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def send(self, call: Callable[[], None]) -> None:
        """Make ``call`` after the earlier ones."""
        self._calls.put(call)

    def stop(self) -> None:
        """End the thread; the pipe is closed already, so nothing keeps it waiting."""
        self._calls.put(None)
        self._thread.join()

    def _work(self) -> None:
        try:
            while (call := self._calls.get()) is not None:
                call()
        except (ConnectionError, ValueError):  # the reader is dead; `ValueError`: what is sent is closed already
            return
        except OSError as error:
            self.error = error
