"""Downloads: whole, broken off, resumed, wrong; what is asked of the server is counted."""

from __future__ import annotations

import gzip
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pooch
import pytest

from mlds_bench.common.data import download as download_module
from mlds_bench.common.data import store
from mlds_bench.common.data.catalogue import CATALOGUE, DataFile
from mlds_bench.common.data.download import CHUNK, DownloadFailed
from tests.common.data.makers import SIZE, A, B, Server, put, serving, toy_set


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of the set `toy`."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download_module, "PAUSE", 0.0)
    with serving() as running:
        monkeypatch.setitem(CATALOGUE, "toy", toy_set(running.url))
        yield running


class Stop:
    """A report that stops the download of a file when so many bytes of it are here."""

    def __init__(self, path: str, size: int) -> None:
        self._path, self._size = path, size

    def __call__(self, file: DataFile, size: int) -> None:
        if file.path == self._path and size >= self._size:
            raise KeyboardInterrupt


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def test_a_set_is_fetched_whole(server: Server, root: Path) -> None:
    """Below the chosen folder, with nothing left beside it; a second look asks for nothing."""
    told: list[tuple[str, int]] = []
    folder = store.get("toy", lambda file, size: told.append((file.path, size)))
    assert folder == root / "toy" == store.find("toy")
    assert ((folder / "a.bin").read_bytes(), (folder / "b.bin").read_bytes()) == (A, B)
    assert names(folder) == {"a.bin", "b.bin"}
    assert server.asked == [("/a.bin", None), ("/b.bin", None)]
    assert told[0] == ("a.bin", 0)
    assert told[-1] == ("b.bin", SIZE)
    assert store.get("toy") == folder
    assert len(server.asked) == 2


def test_without_a_chosen_folder_it_goes_to_the_cache(server: Server, cache: Path) -> None:
    assert store.get("toy") == cache / "data" / "toy"


def test_an_interrupted_download_goes_on_where_it_stopped(server: Server, root: Path) -> None:
    """Nothing that came is asked for again, and until the end the set is not here."""
    with pytest.raises(KeyboardInterrupt):
        store.get("toy", Stop("b.bin", 2 * CHUNK))
    assert names(root / "toy") == {"a.bin", "b.bin.part"}
    with pytest.raises(store.TornData, match=r"b\.bin: absent"):
        store.find("toy")
    here = (root / "toy" / "b.bin.part").stat().st_size
    assert here == 2 * CHUNK
    store.get("toy")
    assert server.asked[2:] == [("/b.bin", f"bytes={here}-")]
    assert server.sent[2:] == [SIZE - here]
    assert (root / "toy" / "b.bin").read_bytes() == B
    assert names(root / "toy") == {"a.bin", "b.bin"}


def test_a_server_without_ranges_sends_the_whole_again(server: Server, root: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        store.get("toy", Stop("a.bin", CHUNK))
    server.knows_ranges = False
    store.get("toy")
    assert server.asked[1:] == [("/a.bin", f"bytes={CHUNK}-"), ("/b.bin", None)]
    assert server.sent[1] == SIZE
    assert (root / "toy" / "a.bin").read_bytes() == A


def test_an_answer_that_breaks_off_is_continued(server: Server, root: Path) -> None:
    """Within the same call; what came of it is kept, in chunks."""
    server.breaks = [2 * CHUNK + 100, CHUNK + 100]
    store.get("toy")
    (whole, *rest), asked = server.asked[:3], [wanted for _, wanted in server.asked[:3]]
    assert whole == ("/a.bin", None)
    starts = [int(str(wanted).removeprefix("bytes=").removesuffix("-")) for wanted in asked[1:]]
    assert rest == [("/a.bin", f"bytes={start}-") for start in starts]
    assert 2 * CHUNK <= starts[0] <= 2 * CHUNK + 100
    assert starts[0] + CHUNK <= starts[1] <= starts[0] + CHUNK + 100
    assert (root / "toy" / "a.bin").read_bytes() == A


def test_an_answer_of_unknown_length_is_continued_too(server: Server, root: Path) -> None:
    server.tells_length = False
    server.breaks = [CHUNK]
    store.get("toy")
    assert server.asked == [("/a.bin", None), ("/a.bin", f"bytes={CHUNK}-"), ("/b.bin", None)]


def test_answers_that_always_break_off_are_given_up(server: Server, root: Path) -> None:
    """After three of them, with the reason; the next call has what they brought."""
    server.breaks = [CHUNK, CHUNK, CHUNK]
    with pytest.raises(DownloadFailed, match=r"a\.bin: .*IncompleteRead"):
        store.get("toy")
    assert len(server.asked) == 3
    store.get("toy")
    assert server.sent[3] == SIZE - 3 * CHUNK


@pytest.mark.parametrize("content", [B, A + b"more", A[:-1]], ids=["other", "longer", "shorter"])
def test_a_wrong_file_never_gets_its_name(server: Server, root: Path, content: bytes) -> None:
    """Nor is anything of it kept that would spoil the next download."""
    server.content["/a.bin"] = content
    with pytest.raises(DownloadFailed, match=rf"{server.url}a\.bin: ") as raised:
        store.get("toy")
    assert "\n" not in str(raised.value)
    assert "a.bin" not in names(root / "toy")
    server.content["/a.bin"] = A
    store.get("toy")
    assert (root / "toy" / "a.bin").read_bytes() == A


def test_another_checksum_is_said(server: Server, root: Path) -> None:
    server.content["/a.bin"] = B
    with pytest.raises(DownloadFailed, match=r"not the published file \(another checksum\)"):
        store.get("toy")
    assert names(root / "toy") == set()


@pytest.mark.parametrize("size", [CHUNK, SIZE, SIZE + 1])
def test_a_part_of_something_else_is_dropped(server: Server, root: Path, size: int) -> None:
    """It fails the checksum once, and the file is fetched whole."""
    (root / "toy").mkdir(parents=True)
    (root / "toy" / "a.bin.part").write_bytes(b"x" * size)
    store.get("toy")
    assert (root / "toy" / "a.bin").read_bytes() == A
    assert ("/a.bin", None) in server.asked


def test_the_second_address_is_tried(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first does not have the file, and goes on with what came from the first."""
    data = toy_set(f"{server.url}gone/", server.url)
    monkeypatch.setitem(CATALOGUE, "toy", data)
    store.get("toy")
    assert server.asked[:2] == [("/gone/a.bin", None), ("/a.bin", None)]
    monkeypatch.setitem(CATALOGUE, "toy", toy_set(f"{server.url}gone/", name="toy"))
    (root / "toy" / "a.bin").unlink()
    with pytest.raises(DownloadFailed, match=r"gone/a\.bin: 404 .*Not Found"):
        store.get("toy")


def test_an_absent_server_is_said_in_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as gone:
        url = gone.url
    monkeypatch.setattr(download_module, "PAUSE", 0.0)
    monkeypatch.setitem(CATALOGUE, "toy", toy_set(url))
    with pytest.raises(DownloadFailed, match=r"a\.bin: .*refused") as raised:
        store.get("toy")
    assert "\n" not in str(raised.value)


def test_a_torn_file_is_fetched_anew_and_alone(server: Server, root: Path) -> None:
    folder = put(CATALOGUE["toy"], root)
    (folder / "b.bin").write_bytes(B[:100])
    store.get("toy")
    assert server.asked == [("/b.bin", None)]
    assert (folder / "b.bin").read_bytes() == B


def test_a_file_published_plain_is_kept_gzipped(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checked before and after; a stopped download goes on, too."""
    monkeypatch.setitem(CATALOGUE, "toy", toy_set(server.url, gzipped=True))
    with pytest.raises(KeyboardInterrupt):
        store.get("toy", Stop("a.bin.gz", CHUNK))
    assert names(root / "toy") == {"a.bin.part"}
    folder = store.get("toy")
    assert server.asked[1] == ("/a.bin", f"bytes={CHUNK}-")
    assert names(folder) == {"a.bin.gz", "b.bin.gz"}
    assert gzip.decompress((folder / "a.bin.gz").read_bytes()) == A


def test_a_folder_that_cannot_be_made_is_said(server: Server, root: Path) -> None:
    root.write_text("in the way")
    with pytest.raises(DownloadFailed, match=r"cannot write .*toy/a\.bin: "):
        store.get("toy")
    assert server.asked == []


def test_pooch_says_nothing(server: Server, root: Path) -> None:
    """Progress is the report's; afterwards its logger is as before."""
    logger = pooch.get_logger()
    level, said = logger.level, io.StringIO()
    handler = logging.StreamHandler(said)
    logger.addHandler(handler)
    store.get("toy")
    logger.removeHandler(handler)
    assert (said.getvalue(), logger.level) == ("", level)
