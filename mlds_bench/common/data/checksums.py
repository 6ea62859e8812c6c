"""Checksums of files, computed once and remembered as long as size and time stay the same."""

from __future__ import annotations

import gzip
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from mlds_bench.common.files import replacing

Entries: TypeAlias = dict[str, tuple[int, int, str]]

_ENTRIES = TypeAdapter(Entries)


def compute_sha256(path: Path, *, unpacked: bool = False) -> str:
    """sha256 of a file, or of what is inside a gzipped one, in hexadecimal.

    Raises:
        OSError: the file cannot be read, or is not gzipped.
        EOFError: the gzipped file is cut.
        zlib.error: the gzipped file is damaged.
    """
    with gzip.open(path) if unpacked else path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ChecksumMemory:
    """Remembers checksums in a JSON file: path -> size, modification time, sha256.

    Args:
        file: where they are kept. If it cannot be read, checksums are computed anew; if it cannot
            be written, nothing is remembered.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries = self._read()

    def sha256(self, path: Path, *, unpacked: bool = False, fresh: bool = False) -> str:
        """The checksum of a file; see `compute_sha256` for what is raised.

        Args:
            path: the file.
            unpacked: take the checksum of what is inside the gzipped file.
            fresh: read the file, whatever is remembered.
        """
        key = f"{path.resolve()}{' (unpacked)' if unpacked else ''}"
        status = path.stat()
        size, time, digest = self._entries.get(key, (-1, -1, ""))
        if fresh or (size, time) != (status.st_size, status.st_mtime_ns):
            digest = compute_sha256(path, unpacked=unpacked)
            self._remember(key, (status.st_size, status.st_mtime_ns, digest))
        return digest

    def _read(self) -> Entries:
        try:
            return _ENTRIES.validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return {}

    def _remember(self, key: str, entry: tuple[int, int, str]) -> None:
        self._entries = {**self._read(), key: entry}  # other processes remember, too
        with suppress(OSError), replacing(self._file) as file:
            file.write(json.dumps(self._entries, indent=0).encode())
