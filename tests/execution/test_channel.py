"""Messages of workers: read without waiting, however they arrive and whatever becomes of the sender."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import struct
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from regzoo.execution.channel import MessageReader, Sender, write_message

LARGE = b"x" * 3_000_000  # more than a pipe holds


@pytest.fixture
def ends() -> Iterator[tuple[MessageReader, Connection]]:
    """The reader, and the other end of its pipe."""
    ours, theirs = multiprocessing.Pipe()
    reader = MessageReader(ours)
    yield reader, theirs
    reader.close()
    ours.close()
    theirs.close()


def test_messages_arrive_in_order_and_half_a_message_is_waited_for(ends: tuple[MessageReader, Connection]) -> None:
    reader, theirs = ends
    assert reader.read() == []
    write_message(theirs, {"first": 1})
    body = pickle.dumps("second")
    whole = struct.pack("!Q", len(body)) + body
    for end in range(1, len(whole)):
        os.write(theirs.fileno(), whole[end - 1 : end])
        assert reader.read() == ([{"first": 1}] if end == 1 else [])
    os.write(theirs.fileno(), whole[-1:])
    write_message(theirs, "third")
    assert reader.read() == ["second", "third"]
    assert not reader.ended


def test_a_message_that_is_larger_than_the_pipe_arrives(ends: tuple[MessageReader, Connection]) -> None:
    reader, theirs = ends
    thread = threading.Thread(target=write_message, args=(theirs, LARGE))
    thread.start()
    messages: list[object] = []
    while not messages:
        messages = reader.read()
    thread.join()
    assert messages == [LARGE]


def test_what_was_sent_before_the_end_is_read(ends: tuple[MessageReader, Connection]) -> None:
    reader, theirs = ends
    write_message(theirs, "last words")
    os.write(theirs.fileno(), b"half a length"[:5])
    theirs.close()
    assert reader.read() == ["last words"]
    assert reader.ended
    assert reader.read() == []


def test_a_sender_whose_reader_does_not_read_ends_when_the_pipe_is_closed() -> None:
    ours, theirs = multiprocessing.Pipe()
    reader, sender = MessageReader(ours), Sender()
    for _ in range(2):
        sender.send(lambda: ours.send(LARGE))  # returns at once
    reader.close()
    sender.stop()
    assert sender.error is None
    ours.close()
    theirs.close()


def test_a_sender_keeps_an_error_that_is_no_death() -> None:
    def fail() -> None:
        raise OSError(24, "Too many open files")

    sender = Sender()
    sender.send(fail)
    sender._thread.join()
    assert str(sender.error) == "[Errno 24] Too many open files"
    sender.stop()
