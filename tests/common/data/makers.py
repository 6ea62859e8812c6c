"""Small data sets, and a server on this machine that can break off, or know no ranges."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np

from mlds_bench.common.data.catalogue import DataFile, DataSet

SIZE = 300_000
A, B = np.random.default_rng(0).bytes(SIZE), np.random.default_rng(1).bytes(SIZE)
CONTENT = {"a.bin": A, "b.bin": B}


def toy_set(*mirrors: str, name: str = "toy", gzipped: bool = False) -> DataSet:
    """Two files of random bytes, published at the mirrors."""
    files = tuple(
        DataFile(
            f"{path}.gz" if gzipped else path,
            len(content),
            sha256(content).hexdigest(),
            tuple(mirror + path for mirror in mirrors),
            gzipped,
        )
        for path, content in CONTENT.items()
    )
    return DataSet(name, "random bytes", "CC0", "these tests", files)


def put(data: DataSet, root: Path) -> Path:
    """The files of a set in its folder."""
    folder = root / data.name
    folder.mkdir(parents=True, exist_ok=True)
    for file in data.files:
        content = CONTENT[file.path.removesuffix(".gz")]
        (folder / file.path).write_bytes(gzip.compress(content) if file.gzipped else content)
    return folder


class Server(ThreadingHTTPServer):
    """Serves `content` by path, and remembers what was asked for.

    Attributes:
        content: path -> bytes; anything else is not found.
        knows_ranges: whether a request for the rest gets the rest; else it gets the whole.
        tells_length: whether an answer says how long it is.
        breaks: how many bytes each of the next answers brings before its connection ends.
        asked: path and Range of each request.
        sent: bytes of each answer.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = {f"/{path}": content for path, content in CONTENT.items()}
        self.knows_ranges = self.tells_length = True
        self.breaks: list[int] = []
        self.asked: list[tuple[str, str | None]] = []
        self.sent: list[int] = []

    @property
    def url(self) -> str:
        """Address of the folder that is served."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        assert self.headers["Accept-Encoding"] == "identity"
        content = self.server.content.get(self.path)
        if content is None:
            self._answer(HTTPStatus.NOT_FOUND, b"")
        elif wanted and self.server.knows_ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self._answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"")
            else:
                place = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self._answer(HTTPStatus.PARTIAL_CONTENT, content[start:], place)
        else:
            self._answer(HTTPStatus.OK, content)

    def _answer(self, status: HTTPStatus, body: bytes, place: str = "") -> None:
        self.send_response(status)
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        if place:
            self.send_header("Content-Range", place)
        self.end_headers()
        if self.server.breaks:
            body = body[: self.server.breaks.pop(0)]
        self.server.sent.append(len(body))
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs as long as the block."""
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
