"""The harness's end of the pipe to an agent: nothing on it waits longer than it may.

The other end is a `Connection`; a message is its length in four bytes and its content.
"""

from __future__ import annotations

import os
import select
import struct
import time
from multiprocessing.connection import Connection

HEADER = struct.Struct("!i")
LONGEST_MESSAGE = 2**20
CHUNK = 2**16


class BadMessage(ValueError):
    """The other side sends what is no message."""


class Wire:
    """A pipe that is read and written with limits.

    Args:
        pipe: closed by `close`.
    """

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self._read = select.poll()
        self._read.register(pipe, select.POLLIN)
        self._write = select.poll()
        self._write.register(pipe, select.POLLOUT)
        self._buffer = bytearray()
        os.set_blocking(pipe.fileno(), False)

    def receive(self, seconds: float) -> bytes | None:
        """The next message, or None if it is not complete after so many seconds.

        Raises:
            EOFError: the other side has closed the pipe, or is gone.
            BadMessage: it is too long.
        """
        deadline = time.monotonic() + seconds
        while (message := self._take()) is None:
            left = deadline - time.monotonic()
            if not self._read.poll(1000.0 * max(left, 0.0)):
                return None
            try:
                chunk = os.read(self.pipe.fileno(), CHUNK)
            except BlockingIOError:
                continue
            except OSError:  # reset: the other side is gone
                chunk = b""
            if not chunk:
                raise EOFError
            self._buffer += chunk
        return message

    def send(self, content: bytes, seconds: float) -> bool:
        """Send a message; False if the other side has not made room after so many seconds.

        Raises:
            OSError: the other side has closed the pipe, or is gone.
        """
        deadline = time.monotonic() + seconds
        rest = memoryview(HEADER.pack(len(content)) + content)
        while rest:
            if not self._write.poll(1000.0 * max(deadline - time.monotonic(), 0.0)):
                return False
            try:
                rest = rest[os.write(self.pipe.fileno(), rest) :]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    return False
        return True

    def close(self) -> None:
        """Close the pipe."""
        self.pipe.close()

    def _take(self) -> bytes | None:
        if len(self._buffer) < HEADER.size:
            return None
        (length,) = HEADER.unpack_from(self._buffer)
        if not 0 <= length <= LONGEST_MESSAGE:
            raise BadMessage(f"a message of {length} bytes")
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[HEADER.size : end])
        del self._buffer[:end]
        return message
