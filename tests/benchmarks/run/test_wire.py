"""The pipe to an agent: whole messages, and no wait without an end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest

from mlds_bench.benchmarks.run.wire import HEADER, LONGEST_MESSAGE, BadMessage, Wire


@pytest.fixture
def ends() -> Iterator[tuple[Wire, Connection]]:
    ours, theirs = Pipe()
    yield Wire(ours), theirs
    ours.close()
    theirs.close()


def test_messages_pass_whole_and_in_order(ends: tuple[Wire, Connection]) -> None:
    """Also two at once, and one that comes in pieces."""
    wire, theirs = ends
    theirs.send_bytes(b"one")
    theirs.send_bytes(b"two" * 1000)
    assert [wire.receive(1.0), wire.receive(1.0)] == [b"one", b"two" * 1000]
    whole = HEADER.pack(5) + b"three"
    for byte in whole[:-1]:
        os.write(theirs.fileno(), bytes([byte]))
        assert wire.receive(0.0) is None
    os.write(theirs.fileno(), whole[-1:])
    assert wire.receive(0.0) == b"three"
    assert wire.send(b"four", 1.0)
    assert theirs.recv_bytes() == b"four"


def test_half_a_message_does_not_hold_us(ends: tuple[Wire, Connection]) -> None:
    """It is waited for as long as we said, and not longer."""
    wire, theirs = ends
    os.write(theirs.fileno(), HEADER.pack(100) + b"half")
    began = time.monotonic()
    assert wire.receive(0.2) is None
    assert 0.15 < time.monotonic() - began < 2.0


def test_who_never_reads_does_not_hold_us(ends: tuple[Wire, Connection]) -> None:
    """Once the pipe is full, sending gives up in time."""
    wire, _ = ends
    began = time.monotonic()
    sent = 0
    while wire.send(b"question" * 100, 0.2):
        sent += 1
        assert sent < 100_000
    assert time.monotonic() - began < 10.0


@pytest.mark.parametrize("length", [-1, LONGEST_MESSAGE + 1])
def test_what_is_too_long_is_refused(ends: tuple[Wire, Connection], length: int) -> None:
    """By its announcement: nothing of it is kept."""
    wire, theirs = ends
    os.write(theirs.fileno(), HEADER.pack(length))
    with pytest.raises(BadMessage, match=str(length)):
        wire.receive(1.0)


def test_the_end_of_the_other_side_is_told(ends: tuple[Wire, Connection]) -> None:
    """In reading and in writing; what came before is read."""
    wire, theirs = ends
    theirs.send_bytes(b"last")
    theirs.close()
    assert wire.receive(1.0) == b"last"
    with pytest.raises(EOFError):
        wire.receive(1.0)
    with pytest.raises(OSError):  # noqa: PT011 - a broken pipe, or a reset
        wire.send(b"question", 1.0)
