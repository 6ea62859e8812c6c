from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.leaderboard.record import (
    Identity,
    Record,
    TaskIdentity,
    TornRecord,
    artifact_folder,
    read_record,
    read_task,
    record_path,
    replace_file,
    strip_times,
    task_path,
    write_record,
    write_task,
)
from tests.leaderboard.factory import content, make_record, make_task, task_content


def test_records_lie_where_the_design_says(tmp_path: Path) -> None:
    """<out>/<preset>/<homework>/<variant>/<agent>/seed-<k>.json, artifacts beside it."""
    record = make_record(agent="sb3:PPO", seed=3)
    expected = tmp_path / "quick" / "hw1-1" / "sinc" / "sb3-PPO" / "seed-3.json"
    assert record_path(tmp_path, record) == expected
    assert record_path(tmp_path, Identity("quick", "hw1-1/sinc", "sb3:PPO", 3)) == expected
    assert artifact_folder(expected) == expected.parent / "seed-3"


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    """Written and read, a record is equal, and its file is strict, readable JSON."""
    record = make_record(1 / 3, params={"clip": float("inf"), "pair": (1, 2)})
    path = record_path(tmp_path, record)
    write_record(record, path)
    assert read_record(path) == record
    assert (
        json.loads(path.read_text(), parse_constant=pytest.fail)["test"]["scores"]["log10_mse"]
        == 1 / 3
    )
    assert path.read_text().endswith("}\n")
    assert [file.name for file in path.parent.iterdir()] == ["seed-0.json"]


@pytest.mark.parametrize("name", ["seed-99.json", "variant.json"])
def test_a_pipe_is_no_record_and_holds_nobody(tmp_path: Path, name: str) -> None:
    """A reader says so at once; without a writer, opening it would wait for ever."""
    os.mkfifo(tmp_path / name)
    for read in (read_record, read_task):
        with pytest.raises(TornRecord, match="not a regular file"):
            read(tmp_path / name)


def test_a_record_is_not_written_in_the_place_of_another(tmp_path: Path) -> None:
    """Seed 1 does not overwrite seed 0."""
    with pytest.raises(ValueError, match=r"content belongs at quick/hw1-1/sinc/deep/seed-1.json"):
        write_record(make_record(seed=1), record_path(tmp_path, make_record(seed=0)))


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A full disk at any step: the old content stays, no temporary file does, the error is seen."""
    path = tmp_path / "seed-0.json"
    replace_file(path, "old")
    seen: list[list[str]] = []

    def fail(*_: object) -> None:
        seen.append(sorted(file.name for file in tmp_path.iterdir()))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, fail)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["seed-0.json"]
    temporary, _ = seen[0]
    assert temporary.startswith(".seed-0.json.")
    assert temporary.endswith(".tmp")


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    """Cut at every byte, a record is refused in one line that names it and says what to do."""
    record = make_record()
    path = record_path(tmp_path, record)
    write_record(record, path)
    whole = path.read_bytes()
    for length in (*range(0, len(whole) - 2, 97), len(whole) - 2):
        path.write_bytes(whole[:length])
        with pytest.raises(TornRecord) as caught:
            read_record(path)
        line = str(caught.value)
        assert line.startswith(f"{path}: ")
        assert line.endswith("; delete it or run the cell again")
        assert "\n" not in line
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"seed": 1}, "content belongs at quick/hw1-1/sinc/deep/seed-1.json"),
        ({"agent": "shallow"}, "content belongs at quick/hw1-1/sinc/shallow/seed-0.json"),
        ({"preset": "course"}, "content belongs at course/"),
        ({"schema_version": 1}, "schema_version: Input should be 2"),
        ({"wall_seconds": "soon", "seed": "one"}, r"and 1 more"),
        ({"scores": {"log10_mse": float("nan")}}, "NaN is not strict JSON"),
        ({"curve": [{"env_steps": 1}]}, r"training\.curve\.0\.seconds: Field required"),
    ],
)
def test_a_wrong_record_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """Edited by hand, moved, or from elsewhere: refused by what is wrong with it."""
    path = record_path(tmp_path, make_record())
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content(**changes)))
    with pytest.raises(TornRecord, match=problem):
        read_record(path)


def test_bytes_that_are_no_text_are_torn(tmp_path: Path) -> None:
    """A block of zeros or of noise, as a crash leaves it, is a torn record and no traceback."""
    path = record_path(tmp_path, make_record())
    path.parent.mkdir(parents=True)
    for garbage in (b"", b"\0" * 512, b"\xff\xfe\xfa"):
        path.write_bytes(garbage)
        with pytest.raises(TornRecord, match="not a JSON document"):
            read_record(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": ' * 100_000, "nested too deeply"),
        (json.dumps(content(params={"a": "\ud800"})), "not a JSON document .'utf-8' codec"),
        (json.dumps(content(agent="\udc00")), "not a JSON document .'utf-8' codec"),
        (json.dumps({"x" * 10**6: 1}), ": Field required|Extra inputs"),
        ("9" * 5000, "not a JSON document"),
    ],
)
def test_a_hostile_file_is_one_short_line(tmp_path: Path, text: str, problem: str) -> None:
    path = record_path(tmp_path, make_record())
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(TornRecord, match=problem) as error:
        read_record(path)
    told = str(error.value).removeprefix(str(path))
    assert told.isprintable()
    assert len(told) < 1000


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe would be read for ever, and so would a link to a device."""
    path = record_path(tmp_path, make_record())
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(TornRecord, match="not a regular file"):
        read_record(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(TornRecord, match="not a regular file"):
        read_record(path)


def test_a_file_larger_than_any_record_is_not_read(tmp_path: Path) -> None:
    path = record_path(tmp_path, make_record())
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(TornRecord, match="1,099,511,627,776 bytes"):
        read_record(path)


def test_a_task_lies_beside_its_records(tmp_path: Path) -> None:
    """One variant.json per variant; a task, its identity, a record and a cell all find it."""
    task, record = make_task(), make_record()
    expected = tmp_path / "quick" / "hw1-1" / "sinc" / "variant.json"
    identity = TaskIdentity("quick", "hw1-1/sinc")
    assert {task_path(tmp_path, one) for one in (task, record, record.identity, identity)} == {
        expected
    }
    write_task(task, expected)
    assert read_task(expected) == task
    assert read_task(expected).digest == task.digest
    assert expected.parent == record_path(tmp_path, record).parents[1]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"variant": "hw1-1/sgn"}, "content belongs at quick/hw1-1/sgn/variant.json"),
        ({"preset": "course"}, "content belongs at course/hw1-1/sinc/variant.json"),
        ({"scores": []}, "scores: "),
        ({"anchors": {}}, r"anchors\.random: Field required \(and 3 more\)"),
        ({"published": None}, "published: "),
    ],
)
def test_a_wrong_task_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    """Path and content of a task agree, or it is refused; it is not written elsewhere either."""
    path = task_path(tmp_path, make_task())
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(task_content(**changes)))
    with pytest.raises(TornRecord, match=problem):
        read_task(path)
    with pytest.raises(ValueError, match="content belongs at quick/hw1-1/sinc"):
        write_task(make_task(), tmp_path / "variant.json")


def test_two_runs_of_a_cell_agree_but_for_times() -> None:
    """Everything that the clock decides is stripped, and nothing else."""
    point = content()["training"]["curve"][0]
    slower = make_record(
        wall_seconds=9.0,
        train_seconds=9.0,
        eval_seconds=9.0,
        cpu_seconds=9.0,
        peak_memory_mb=9.0,
        started_utc="2027-01-01T00:00:00+00:00",
        hardware={"cpu": "Test CPU", "cores": 2, "load": 9.0},
        curve=[point | {"seconds": 9.0}],
    )
    stripped = strip_times(make_record())
    assert strip_times(slower) == stripped
    assert set(Record.model_fields) - set(stripped) == {"cost"}
    assert content()["provenance"].keys() - stripped["provenance"].keys() == {"started_utc"}
    others = [make_record(-2.5), make_record(curve=[]), make_record(hardware={"cpu": "other"})]
    assert all(strip_times(other) != stripped for other in others)


def test_importing_records_is_cheap() -> None:
    """The command line imports this file at start: no frame, no statistics, no network library."""
    code = (
        "import sys, mlds_bench.leaderboard.record\n"
        "print(*sorted({'pandas', 'scipy', 'torch', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
