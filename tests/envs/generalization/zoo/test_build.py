"""The command: what is finished stays, rows stand in order, and the shipped table repeats."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.generalization.data import dataset_rows, load_table, setting_column
from mlds_bench.envs.generalization.zoo import __main__ as command
from mlds_bench.envs.generalization.zoo import build, grid, images
from tests.envs.generalization.zoo import small

NAMES = ("label_noise", *grid.AXES)


def test_rows_of_the_table_stand_where_their_settings_do() -> None:
    """Every network writes its settings down; afterwards each is found at its row."""
    codes: dict[tuple[Any, ...], int] = {}

    def code(member: dict[str, Any]) -> int:
        return codes.setdefault(tuple(member[name] for name in NAMES), len(codes))

    parts = {
        group.name: {
            "code": np.array([code(member) for member in group.members]),
            "right": np.array([[[code(member)]] for member in group.members]),
            "fingerprint": np.array("x"),
        }
        for dataset in grid.LEVELS
        for group in grid.groups(dataset)
    }
    table = build.assemble(parts)
    assert list(table) == ["code", "right"]
    assert np.array_equal(table["right"][:, 0, 0], table["code"])
    for dataset in grid.LEVELS:
        columns = [setting_column(dataset, name).tolist() for name in NAMES]
        expected = [codes[settings] for settings in zip(*columns, strict=True)]
        assert table["code"][dataset_rows(dataset)].tolist() == expected


def test_a_group_is_finished_under_its_settings_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file counts until the levels of its data set, the limit or the recipe change."""
    group, other = next(grid.groups("digits")), next(grid.groups("fashion_mnist"))
    for one in (group, other):
        mark = np.array(build.fingerprint(one.dataset, 9))
        build.write(tmp_path / f"{one.name}.npz", {"a": np.ones(2), "fingerprint": mark})
    assert build.is_finished(tmp_path, group, 9)
    assert not build.is_finished(tmp_path, group, 18)
    assert not build.is_finished(tmp_path / "elsewhere", group, 9)
    levels = {**grid.LEVELS, "digits": replace(grid.DIGITS, dropout=0.3)}
    monkeypatch.setattr(grid, "LEVELS", levels)
    assert not build.is_finished(tmp_path, group, 9)
    assert build.is_finished(tmp_path, other, 9)
    monkeypatch.setattr(build, "RECIPE", 2)
    assert not build.is_finished(tmp_path, other, 9)


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    """No date of today is in the file."""
    arrays: build.Arrays = {"a": np.arange(5), "b": np.ones((2, 3), np.float32)}
    for name in ("one.npz", "two.npz"):
        build.write(tmp_path / name, arrays)
    first = (tmp_path / "one.npz").read_bytes()
    assert first == (tmp_path / "two.npz").read_bytes()
    assert first[10:14] == b"\x00\x00\x21\x00"  # time 0, and the first of January 1980


def test_a_run_trains_what_is_missing_and_then_writes_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finished groups are not touched; the table appears when the last data set is done."""
    made = []

    def stub(folder: Path, group: grid.Group, *, most_epochs: int) -> None:
        made.append(group.name)
        mark = np.array(build.fingerprint(group.dataset, most_epochs))
        rows = np.full(len(group.members), group.index)
        build.write(folder / f"{group.name}.npz", {"index": rows, "fingerprint": mark})

    class Here:
        """A pool that works in this process."""

        def __init__(self, *_: Any, **__: Any) -> None: ...
        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None: ...
        def submit(self, task: Any, group: grid.Group) -> Any:
            from concurrent.futures import Future

            future: Future[None] = Future()
            future.set_result(task(group))
            return future

    monkeypatch.setattr(build, "make_group", stub)
    monkeypatch.setattr(build, "ProcessPoolExecutor", Here)
    lines: list[str] = []
    assert build.build(tmp_path, ["digits"], 1, lines.append) is None
    assert len(made) == 48
    assert lines[0] == "0 of 48 groups are finished"
    path = build.build(tmp_path, list(grid.LEVELS), 1, lines.append)
    assert path == tmp_path / "table.npz"
    assert len(made) == len(set(made)) == 48 * len(grid.LEVELS)
    with np.load(path) as table:
        assert table["index"].shape == (864 * len(grid.LEVELS),)


def test_a_group_is_measured_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every column of the table, finite, one row per network."""
    arrays = build.group_arrays(small.group(), small.dataset(), 9)
    assert set(arrays) == set(load_table())
    for name, column in arrays.items():
        assert len(column) == 18
        assert np.isfinite(column).all(), name
        assert column.dtype == load_table()[name].dtype


def test_the_command_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An unknown data set is refused with the known ones."""
    monkeypatch.setattr(sys, "argv", ["zoo", "-o", str(tmp_path), "--datasets", "cifar10"])
    with pytest.raises(SystemExit, match="2"):
        command.main()
    assert "'fashion_mnist'" in capsys.readouterr().err


def test_the_shipped_table_repeats() -> None:
    """A group trained anew is as the table has it; other processors round otherwise."""
    group = list(grid.groups("digits"))[5]
    assert group.architecture["batch_size"] == 128
    arrays = build.group_arrays(group, images.load_dataset("digits"), grid.MOST_EPOCHS)
    rows = dataset_rows("digits")
    matches = np.ones(rows.stop - rows.start, np.bool_)
    for axis, value in group.architecture.items():
        matches &= setting_column("digits", axis) == value
    for name, within in {"test_accuracy": 0.02, "train_accuracy": 0.01}.items():
        stored = load_table()[name][rows][matches]
        assert arrays[name] == pytest.approx(stored, abs=within)
    for name in ("weight_norm", "margin", "flatness", "sensitivity"):
        stored = load_table()[name][rows][matches]
        assert np.corrcoef(arrays[name], stored)[0, 1] > 0.99
