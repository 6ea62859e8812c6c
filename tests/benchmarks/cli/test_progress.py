"""What a person is told while a run goes on."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mlds_bench.benchmarks.cli.progress import Lines, Panel, ending, opening
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.events import Event, Observer, Silent
from mlds_bench.leaderboard.record import CurvePoint, Record, State
from tests.benchmarks.records import record_of
from tests.benchmarks.short import short_cells

OUT = Path("nowhere")


def point(**changes: Any) -> CurvePoint:
    content = {"env_steps": 1024, "seconds": 1.0, "reward": -0.25, "episode_return": None}
    return CurvePoint.model_validate(content | changes)


def failed(cell: Cell, state: State, reason: str) -> Record:
    return record_of(cell, state=state, reason=reason)


def tell(observer: Observer, cells: list[Cell]) -> None:
    """Three cells: one learns and ends well, one fails with an ugly reason, one is skipped."""
    deep, shallow, constant = cells
    observer.begin(cells, [record_of(deep)], 1)
    for event in (
        Event("started", deep),
        Event("started", shallow),
        Event("point", deep, point=point()),
        Event("point", shallow, point=point(episode_return=-0.5)),
        Event("testing", deep),
        Event("ended", deep, record=record_of(deep)),
        Event("ended", shallow, record=failed(shallow, "failed", "IndexError: x[bold] of [1]")),
        Event("started", constant),
        Event("ended", constant, record=failed(constant, "skipped", "no room")),
    ):
        observer.event(event)
    observer.end()


@pytest.fixture
def cells() -> list[Cell]:
    return short_cells("deep", "shallow", "constant")


@pytest.fixture
def file() -> StringIO:
    return StringIO()


def test_lines_say_how_each_cell_ended(cells: list[Cell], file: StringIO) -> None:
    """One line a cell, long reasons unbroken, brackets as they are."""
    tell(Lines(Console(file=file, width=40), OUT), cells)
    assert file.getvalue().splitlines() == [
        "3 cells to run, 1 finished before, 1 ",
        "stale and run again",
        "[1/3] hw1-1/sinc deep seed 0: log10_mse -2, normalized 0.34, 3.5 s",
        "[2/3] hw1-1/sinc shallow seed 0: failed: IndexError: x[bold] of [1]",
        "[3/3] hw1-1/sinc constant seed 0: skipped: no room",
    ]


def test_long_cells_say_once_a_minute_how_they_learn(cells: list[Cell], file: StringIO) -> None:
    """By the return of episodes, or by the reward of a step where none has ended."""
    lines = Lines(Console(file=file), OUT)
    for seconds, returned in ((59.0, None), (61.0, None), (100.0, -20.5), (122.0, -20.5)):
        told = point(seconds=seconds, episode_return=returned)
        lines.event(Event("point", cells[0], point=told))
    assert file.getvalue().splitlines() == [
        "hw1-1/sinc deep seed 0: 25%  reward -0.25, 61 s",
        "hw1-1/sinc deep seed 0: 25%  return -20.5, 122 s",
    ]


def test_the_panel_shows_what_runs(cells: list[Cell], file: StringIO) -> None:
    """Each running cell with its share of the budget and its score of the moment."""
    console = Console(file=file, force_terminal=True, width=100, color_system=None)
    panel = Panel(console, OUT)
    panel.begin(cells, [], 0)
    panel.event(Event("started", cells[0]))
    panel.event(Event("point", cells[0], point=point()))
    panel.event(Event("started", cells[1]))
    shown = seen(panel)
    panel.end()
    assert "hw1-1/sinc  deep     seed 0   25%  reward -0.25  0 s" in shown
    assert "hw1-1/sinc  shallow  seed 0  starting            0 s" in shown
    assert "0/3" in shown
    assert "left" in shown


def test_the_panel_counts_what_failed(cells: list[Cell], file: StringIO) -> None:
    """Skipped is not failed; what ended stays above the panel, as a line."""
    console = Console(file=file, force_terminal=True, width=100, color_system=None)
    panel = Panel(console, OUT)
    tell(panel, cells)
    shown = seen(panel)
    assert "1 failed" in shown
    assert "3/3" in shown
    assert "deep" not in shown
    said = file.getvalue()
    assert "hw1-1/sinc deep seed 0: log10_mse -2, normalized 0.34, 3.5 s" in said
    assert "hw1-1/sinc shallow seed 0: failed: IndexError: x[bold] of [1]" in said
    assert "hw1-1/sinc constant seed 0: skipped: no room" in said


def seen(panel: Panel) -> str:
    """What the panel draws at this moment."""
    console = Console(width=100, color_system=None, record=True, file=StringIO())
    console.print(panel._render())
    return console.export_text()


def test_time_left_follows_the_work_done(
    cells: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is promised at first; then what is left in proportion."""
    now = [100.0]
    monkeypatch.setattr("mlds_bench.benchmarks.cli.progress.time.monotonic", lambda: now[0])
    long = [replace(cell, seed=seed) for seed, cell in enumerate(cells[:1] * 4)]
    panel = Panel(Console(file=StringIO()), OUT)
    panel._work = 4 * work(long[0])
    panel._task = panel._bar.add_task("cells", total=4, left="")
    assert panel._time_left() == ""
    panel._finish(str(long[0]), Event("ended", long[0], record=record_of(long[0])))
    now[0] = 120.0
    assert panel._time_left() == "about 60 s left"
    now[0] = 1300.0
    assert panel._time_left() == "about 60 min left"


def work(cell: Cell) -> float:
    from mlds_bench.benchmarks.cli.progress import _work

    return _work(cell)


def test_a_panel_without_cells_stays_closed(file: StringIO) -> None:
    """Nothing to run is one line."""
    panel = Panel(Console(file=file, force_terminal=True, color_system=None), OUT)
    panel.begin([], [], 0)
    panel.end()
    assert file.getvalue() == "0 cells to run\n"


def test_a_panel_ends_after_an_error(cells: list[Cell], file: StringIO) -> None:
    """The cursor comes back though cells still run."""
    panel = Panel(Console(file=file, force_terminal=True, color_system=None), OUT)
    panel.begin(cells, [], 0)
    panel.event(Event("started", cells[0]))
    panel.end()
    assert file.getvalue().endswith("\x1b[?25h")


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ((1, 0, 0), "1 cell to run"),
        ((0, 4, 0), "0 cells to run, 4 finished before"),
        ((3, 1, 2), "3 cells to run, 1 finished before, 2 stale and run again"),
    ],
)
def test_the_opening_says_what_there_is_to_do(counts: tuple[int, int, int], line: str) -> None:
    """To run, finished, stale."""
    assert opening(*counts) == line


def test_every_state_has_an_ending(cells: list[Cell]) -> None:
    """A score, or the state with its reason."""
    task = cells[0].task
    assert ending(record_of(cells[0]), task, OUT) == "log10_mse -2, normalized 0.34, 3.5 s"
    states: tuple[State, ...] = ("failed", "timeout", "out-of-memory", "skipped")
    for state in states:
        assert ending(failed(cells[0], state, "so it is"), task, OUT) == f"{state}: so it is"


def test_the_silent_watcher_says_nothing(
    cells: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    """For programs that run cells."""
    tell(Silent(), cells)
    assert capsys.readouterr() == ("", "")
