"""What lies beside a record: the agent's files, the harness's pictures, whatever the agent did."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mlds_bench.benchmarks.run.artifacts import Draw, move_artifacts, tidy_artifacts
from mlds_bench.benchmarks.run.engines.local import preloads
from mlds_bench.leaderboard.record import artifact_folder
from tests.benchmarks.short import landscape_cell, left_over, run_quietly

PICTURES = ["curvature.png", "descent.png", "surface.png", "trajectories.png"]
FAKER = """
import numpy as np
class Mine:
    def act(self, obs):
        return np.column_stack([-0.1 * obs["gradient"], np.ones(len(obs["loss"]))])
    def save(self, folder):
        (folder / "weights.txt").write_text("1")
        (folder / "pictures").mkdir()
        (folder / "pictures/descent.png").mkdir()
        (folder / "pictures/more.png").write_text("a fake")
"""


def write(folder: Path) -> list[Path]:
    (folder / "real.png").write_text("real")
    return [folder / "real.png"]


def fail(folder: Path) -> list[Path]:
    write(folder)
    raise ArithmeticError("no plane")


def keep_artifacts(made: Path, kept: Path, draw: Draw | None) -> None:
    tidy_artifacts(made, draw)
    move_artifacts(made, kept)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An agent's folder, as an agent that saves nothing leaves it."""
    folder = tmp_path / ".seed-0.partial"
    folder.mkdir()
    (folder / "log.txt").touch()
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "seed-0"


def test_pictures_lie_beside_what_the_agent_saved(made: Path, kept: Path) -> None:
    (made / "weights.txt").write_text("1")
    keep_artifacts(made, kept, write)
    assert sorted(path.name for path in kept.iterdir()) == ["pictures", "weights.txt"]
    assert [path.name for path in (kept / "pictures").iterdir()] == ["real.png"]
    assert not made.exists()


def test_without_anything_there_is_no_folder(made: Path, kept: Path) -> None:
    keep_artifacts(made, kept, None)
    assert not made.exists()
    assert not kept.exists()


def test_a_picture_that_cannot_be_drawn_says_why(made: Path, kept: Path) -> None:
    """What was drawn before stays."""
    keep_artifacts(made, kept, fail)
    assert sorted(path.name for path in (kept / "pictures").iterdir()) == ["error.txt", "real.png"]
    assert "ArithmeticError: no plane" in (kept / "pictures/error.txt").read_text()


def leave_folder(made: Path, elsewhere: Path) -> None:
    (made / "pictures/real.png").mkdir(parents=True)
    (made / "pictures/fake.png").write_text("fake")


def leave_file(made: Path, elsewhere: Path) -> None:
    (made / "pictures").write_text("fake")


def leave_link(made: Path, elsewhere: Path) -> None:
    (made / "pictures").symlink_to(elsewhere)


def leave_dangling_link(made: Path, elsewhere: Path) -> None:
    (made / "pictures").symlink_to(elsewhere / "nothing")


def leave_locked(made: Path, elsewhere: Path) -> None:
    leave_folder(made, elsewhere)
    made.chmod(0o500)


TRICKS = [leave_folder, leave_file, leave_link, leave_dangling_link, leave_locked]


@pytest.mark.parametrize("draw", [write, None])
@pytest.mark.parametrize("trick", TRICKS)
def test_an_agent_fakes_no_pictures(
    trick: Callable[[Path, Path], None],
    draw: Callable[[Path], list[Path]] | None,
    made: Path,
    kept: Path,
    tmp_path: Path,
) -> None:
    """Only ours lie there, or none at all; what a link points to stays as it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "real.png").write_text("precious")
    trick(made, elsewhere)
    keep_artifacts(made, kept, draw)
    found = {path.name: path.read_text() for path in kept.glob("pictures/*")}
    assert found == ({"real.png": "real"} if draw else {})
    assert not (kept / "pictures").is_symlink()
    assert [path.name for path in elsewhere.iterdir()] == ["real.png"]
    assert (elsewhere / "real.png").read_text() == "precious"


def test_a_folder_that_became_a_link_is_not_followed(made: Path, kept: Path) -> None:
    elsewhere = made.with_name("elsewhere")
    made.rename(elsewhere)
    (elsewhere / "pictures").mkdir()
    made.symlink_to(elsewhere)
    with pytest.raises(OSError, match="its folder has become a link"):
        keep_artifacts(made, kept, write)
    assert (elsewhere / "pictures").is_dir()
    assert not kept.exists()
    assert not made.is_symlink()


def test_only_regular_files_are_kept(made: Path, kept: Path, tmp_path: Path) -> None:
    """No link, no pipe, no socket: nobody who reads the folder is led away, or waits for ever."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/precious").write_text("precious")
    (made / "below").mkdir()
    (made / "below/weights.txt").write_text("1")
    (made / "below/file").symlink_to(tmp_path / "elsewhere/precious")
    (made / "folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(made / "below/pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(made / "socket"))
    keep_artifacts(made, kept, None)
    left = sorted(str(path.relative_to(kept)) for path in kept.rglob("*"))
    assert left == ["below", "below/weights.txt"]
    assert (tmp_path / "elsewhere/precious").read_text() == "precious"


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_log_that_is_another_file_does_not_cut_it(
    made: Path, kept: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    """By a link, or by a second name; a long log of its own is cut."""
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("x" * 200_000)
    (made / "log.txt").unlink()
    link(foreign, made / "log.txt")
    keep_artifacts(made, kept, None)
    assert foreign.stat().st_size == 200_000
    assert not kept.exists() or (kept / "log.txt").stat().st_size < 2**16 + 10


def test_a_cell_leaves_its_pictures_beside_its_record(tmp_path: Path) -> None:
    """Ours, whatever the agent left under their names; what else it saved stays."""
    agent = tmp_path / "mine.py"
    agent.write_text(FAKER)
    cell = landscape_cell(agent)
    (record,) = run_quietly([cell], tmp_path / "out").records
    assert (record.state, record.reason) == ("ok", "")
    folder = artifact_folder(cell.path(tmp_path / "out"))
    assert sorted(path.name for path in folder.iterdir()) == ["pictures", "weights.txt"]
    drawn = sorted((folder / "pictures").iterdir())
    assert [path.name for path in drawn] == PICTURES
    for path in drawn:
        with Image.open(path) as image:
            assert min(image.size) > 400
    assert left_over(tmp_path / "out") == []


def test_a_preset_without_pictures_draws_none(tmp_path: Path) -> None:
    """Nor does it load what draws them, nor keep an agent's own."""
    agent = tmp_path / "mine.py"
    agent.write_text(FAKER)
    cell = landscape_cell(agent, pictures=False)
    run_quietly([cell], tmp_path / "out")
    folder = artifact_folder(cell.path(tmp_path / "out"))
    assert [path.name for path in folder.iterdir()] == ["weights.txt"]
    drawing = "mlds_bench.envs.landscape.pictures"
    assert drawing not in preloads([cell])
    assert drawing in preloads([landscape_cell(agent)])
