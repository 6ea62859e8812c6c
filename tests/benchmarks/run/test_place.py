"""The folders of a cell: private ones, shared ones, and what an agent may do to them."""

from __future__ import annotations

import os
import stat
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from mlds_bench.benchmarks.run import place as module
from mlds_bench.benchmarks.run.place import Place, clear, locked, sweep


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out/smoke/hw1-1/sinc/mine.py-Mine/seed-0.json"


@pytest.fixture
def place(path: Path, tmp_path: Path) -> Place:
    return Place(path, tmp_path / "out")


def test_two_runs_of_a_cell_have_a_folder_each(place: Place, path: Path, tmp_path: Path) -> None:
    other = Place(path, tmp_path / "out")
    assert place.private != other.private
    assert {place.private.parent, other.private.parent} == {path.parent}


def test_what_is_left_alone_is_in_order(place: Place) -> None:
    assert place.restore() == ""


def test_a_folder_that_was_locked_up_is_opened(place: Place, path: Path, tmp_path: Path) -> None:
    """Every one of those around."""
    folders = (path.parent, tmp_path / "out/smoke", tmp_path / "out")
    for folder in folders:
        folder.chmod(0o500)
    assert place.restore() == ""
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    path.parent.chmod(0o400)
    Place(path, tmp_path / "out")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_locked_within_is_cleared(tmp_path: Path) -> None:
    """Without touching what a link points to."""
    foreign = tmp_path / "foreign"
    foreign.mkdir(mode=0o500)
    (tmp_path / "made/below/deep").mkdir(parents=True)
    (tmp_path / "made/link").symlink_to(foreign)
    (tmp_path / "made/below/deep").chmod(0o000)
    (tmp_path / "made/below").chmod(0o000)
    clear(tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["foreign"]
    assert stat.S_IMODE(foreign.stat().st_mode) == 0o500


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_link_above_the_record_is_not_followed(
    place: Place, path: Path, tmp_path: Path, level: int
) -> None:
    """Whatever folder it takes the place of: the record goes where it belongs."""
    foreign = tmp_path / "foreign"
    (foreign / "seed-0").mkdir(parents=True)
    (foreign / "hw1-1/sinc/mine.py-Mine/seed-0").mkdir(parents=True)
    folder = [path.parent, path.parent.parent, tmp_path / "out/smoke"][level]
    folder.rename(tmp_path / "moved")
    folder.symlink_to(foreign)
    assert place.restore() == f"the agent has moved or replaced {folder}"
    assert path.parent.resolve() == path.parent.absolute()
    assert list(path.parent.iterdir()) == []
    assert (foreign / "seed-0").is_dir()
    assert (foreign / "hw1-1/sinc/mine.py-Mine/seed-0").is_dir()


def test_a_file_in_the_place_of_a_folder_goes(place: Place, path: Path, tmp_path: Path) -> None:
    path.parent.rename(tmp_path / "moved")
    path.parent.write_text("in the way")
    assert "moved or replaced" in place.restore()
    assert path.parent.is_dir()


def test_a_link_that_was_there_before_is_the_users(tmp_path: Path) -> None:
    """A run's folder, or a part of it, may lie on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    place = Place(tmp_path / "out/smoke/seed-0.json", tmp_path / "out")
    assert place.restore() == ""
    assert (tmp_path / "out").is_symlink()


def test_sweeping_spares_what_is_in_use(place: Place, path: Path) -> None:
    """A folder whose process is gone goes, and half a record with it."""
    dead = path.parent / ".seed-1.0badcafe.partial"
    (dead / "below").mkdir(parents=True)
    (path.parent / ".seed-1.json.0badcafe.tmp").write_text("{")
    linked = path.parent / ".seed-2.0badcafe.partial"
    linked.symlink_to(path.parent.parent)
    sweep(path.parent)
    assert sorted(path.parent.iterdir()) == [place.private]
    place.close()
    sweep(path.parent)
    assert sorted(path.parent.iterdir()) == []
    sweep(path.parent / "nothing")


def hold(folder: Path, pipe: int) -> None:
    with locked(folder):
        os.write(pipe, b"!")
        time.sleep(60)


def test_a_lock_is_waited_for_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent may hold one as long as it likes."""
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.3)
    heard, told = os.pipe()
    process = get_context("fork").Process(target=hold, args=(tmp_path, told))
    process.start()
    assert os.read(heard, 1) == b"!"
    with locked(tmp_path):
        assert process.is_alive()
    process.kill()
    process.join()
