"""Downloads that go on where they stopped, and appear under their names only when verified.

What has come so far lies in `<name>.part` beside the file. pooch checks the checksum and puts the
file in its place; the transfer itself is here, because pooch's own begins anew after a stop.
"""

from __future__ import annotations

import gzip
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import pooch
import requests

from mlds_bench.common.data.catalogue import DataFile
from mlds_bench.common.files import replacing

Report: TypeAlias = Callable[[DataFile, int], None]
"""Is called with the file and its bytes that are here, as they come."""

TRIES = 3
"""Of one address, while its answers break off."""
PAUSE = 1.0
"""Seconds before the second try; the third waits twice as long."""
CHUNK = 1 << 16
"""Bytes between two calls of the report."""
PATIENCE = (10.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes."""


class DownloadFailed(OSError):
    """A file could not be fetched from any of its addresses; one line with all the reasons."""


def download(file: DataFile, folder: Path, report: Report) -> None:
    """Fetches a file into the folder of its set.

    Args:
        file: what to fetch.
        folder: of the set; it is made if need be.
        report: told of every chunk.

    Raises:
        DownloadFailed: no address gave the published file, or the folder cannot be written.
    """
    reasons = []
    for url in file.urls:
        try:
            _retrieve(url, file, folder, report)
        except requests.RequestException as error:
            reasons.append(f"{url}: {_plain(error)}")
        except ValueError:  # pooch's word for another checksum
            reasons.append(f"{url}: what came is not the published file (another checksum)")
        except OSError as error:
            raise DownloadFailed(f"cannot write {folder / file.path}: {error}") from None
        else:
            return
    raise DownloadFailed("; ".join(reasons))


def _retrieve(url: str, file: DataFile, folder: Path, report: Report) -> None:
    """From one address; a part that came earlier and does not belong to the file is dropped."""
    name = file.path.removesuffix(".gz") if file.gzipped else file.path
    transfer = _Transfer(file, (folder / name).with_name(f"{Path(name).name}.part"), report)
    settings: dict[str, Any] = {
        "known_hash": f"sha256:{file.sha256}",
        "fname": name,
        "path": folder,
        "downloader": transfer,
        "processor": _keep_gzipped if file.gzipped else None,
    }
    with _quiet_pooch():
        try:
            pooch.retrieve(url, **settings)
        except ValueError:
            if not transfer.began_late:
                raise
            pooch.retrieve(url, **settings)


@dataclass
class _Transfer:
    """What pooch calls to download: brings the rest of a part, and hands it over."""

    file: DataFile
    part: Path
    report: Report
    began_late: bool = False

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        self.part.parent.mkdir(parents=True, exist_ok=True)
        done = self._size()
        self.began_late = done > 0
        for attempt in range(1, TRIES + 1):
            try:
                self._fetch_rest(url)
                break
            except requests.HTTPError:
                raise
            except requests.RequestException:
                if attempt == TRIES:
                    raise
                time.sleep(PAUSE * attempt)
        self.part.replace(output_file)

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _fetch_rest(self, url: str) -> None:
        done = self._size()
        if done >= self.file.size:
            return
        headers = {"Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
        with requests.get(url, headers=headers, stream=True, timeout=PATIENCE) as answer:
            answer.raise_for_status()
            goes_on = answer.status_code == HTTPStatus.PARTIAL_CONTENT
            self._write(answer, done if goes_on else 0)

    def _write(self, answer: requests.Response, done: int) -> None:
        with self.part.open("ab" if done else "wb") as part:
            self.report(self.file, done)
            for chunk in answer.iter_content(CHUNK):
                part.write(chunk)
                done += len(chunk)
                self.report(self.file, done)
        if done < self.file.size:
            raise requests.ConnectionError(f"ended after {done:,} of {self.file.size:,} bytes")


def _keep_gzipped(plain: str, _action: str, _pooch: object) -> str:
    """What pooch calls at the end for a file that is published plain."""
    packed = Path(f"{plain}.gz")
    with (
        Path(plain).open("rb") as source,
        replacing(packed) as target,
        gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=0) as stream,
    ):
        shutil.copyfileobj(source, stream)
    Path(plain).unlink()
    return str(packed)


def _plain(error: requests.RequestException) -> str:
    """The reason without the names of the classes around it."""
    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", None) or cause
    return " ".join(str(reason).split())


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Pooch tells its user what it does; here the report does."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)
