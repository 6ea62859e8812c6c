from __future__ import annotations

import csv
import io
import json

import pytest

from mlds_bench.leaderboard.render import (
    FORMS,
    SUFFIXES,
    Column,
    Page,
    Row,
    Table,
    fixed,
    interval,
    quantity,
    render,
    significant,
)

TABLE = Table(
    title="hw1-1/sinc",
    columns=(
        Column("agent", lambda row: str(row["agent"]), "left"),
        Column("mse ↓", lambda row: quantity(row["mean"], row["half_width"])),  # type: ignore[arg-type]
        Column("state", lambda row: str(row["state"]), "left"),
    ),
    rows=(
        {"agent": "deep", "mean": -5.612345678, "half_width": 0.123, "state": "ok", "n": 5},
        {"agent": "b_1", "mean": None, "half_width": None, "state": "1 failed: a|b <x> 100%"},
    ),
    notes=("published: a & b",),
)
PAGE = Page("quick", (TABLE,), ("n: seeds",))


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 3, "—"),
        (0.0, 3, "0"),
        (-0.0, 3, "0"),
        (12.345, 3, "12.3"),
        (0.012345, 3, "0.0123"),
        (1_234_567.0, 3, "1,230,000"),
        (999.6, 3, "1,000"),
        (9.996, 3, "10.0"),
        (-6.0, 4, "-6.000"),
        (0.00012345, 3, "0.000123"),
        (0.000012345, 3, "1.23e-05"),
    ],
)
def test_significant_digits(value: float | None, digits: int, text: str) -> None:
    """So many digits that count, whatever the magnitude."""
    assert significant(value, digits) == text


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (None, None, "—"),
        (-5.6123, None, "-5.612"),
        (-5.6123, 0.1234, "-5.61 ± 0.12"),
        (-5.6123, 0.0987, "-5.612 ± 0.099"),
        (-5.6123, 12.34, "-6 ± 12"),
        (20_412.3, 1234.5, "20,412 ± 1,234"),
        (-6.123456789, 0.0, "-6.12346 ± 0"),
        (-6.123456789, 1e-9, "-6.12346 ± 1.0e-09"),
        (0.0, 0.5, "0.00 ± 0.50"),
        (7.6123e-7, 1.23e-8, "7.61e-07 ± 1.2e-08"),
    ],
)
def test_quantities(value: float | None, half_width: float | None, text: str) -> None:
    """Two digits of the uncertainty decide how many of the value stand."""
    assert quantity(value, half_width) == text


def test_small_forms() -> None:
    """Three decimals without a minus zero; an interval or a dash."""
    assert [fixed(x) for x in (0.12345, -0.0001, None)] == ["0.123", "0.000", "—"]
    assert interval({"x_low": 0.12, "x_high": 1.0}, "x") == "[0.120, 1.00]"
    assert interval({"x_low": None, "x_high": None}, "x") == "—"


def test_markdown() -> None:
    """Columns stand in line on a terminal, and a reason cannot break a row or hide as a tag."""
    assert render(PAGE, "markdown") == (
        "# quick\n"
        "\n"
        "## hw1-1/sinc\n"
        "\n"
        "| agent |        mse ↓ | state                    |\n"
        "| ----- | -----------: | ------------------------ |\n"
        "| deep  | -5.61 ± 0.12 | ok                       |\n"
        "| b_1   |            — | 1 failed: a\\|b \\<x> 100% |\n"
        "\n"
        "- published: a & b\n"
        "\n"
        "## How to read this\n"
        "\n"
        "- n: seeds\n"
    )


def test_long_texts_are_cut_on_the_page_and_whole_in_the_data() -> None:
    """A reason of a thousand characters does not make a table of that width."""
    row: Row = {"agent": "a", "mean": 1.0, "half_width": None, "state": "x" * 1000}
    page = Page("quick", (Table("t", TABLE.columns, (row,)),))
    assert "x" * 59 + "… |" in render(page, "markdown")
    assert "x" * 1000 in render(page, "csv")
    assert "x" * 1000 in render(page, "json")


def test_csv() -> None:
    """All values of the rows under the union of their names, six digits, empty where absent."""
    assert render(PAGE, "csv") == (
        "table,agent,mean,half_width,state,n\n"
        "hw1-1/sinc,deep,-5.61235,0.123,ok,5\n"
        "hw1-1/sinc,b_1,,,1 failed: a|b <x> 100%,\n"
    )
    rows = list(csv.DictReader(io.StringIO(render(PAGE, "csv"))))
    assert [row["agent"] for row in rows] == ["deep", "b_1"]


def test_json() -> None:
    """Strict JSON with the titles, the rows and the notes."""
    content = json.loads(render(PAGE, "json"), parse_constant=pytest.fail)
    assert content["title"] == "quick"
    assert content["notes"] == ["n: seeds"]
    (table,) = content["tables"]
    assert table["rows"][0] == {
        "agent": "deep",
        "mean": -5.61235,
        "half_width": 0.123,
        "state": "ok",
        "n": 5,
    }
    assert table["rows"][1]["mean"] is None


def test_latex() -> None:
    """A booktabs table whose special characters are escaped and whose minus is a minus."""
    text = render(PAGE, "latex")
    assert r"\begin{tabular}{lrl}" in text
    assert r"deep & $-$5.61 $\pm$ 0.12 & ok \\" in text
    assert r"b\_1 & --- & 1 failed: a|b \textless{}x\textgreater{} 100\% \\" in text
    assert r"mse $\downarrow$" in text
    assert r"\footnotesize published: a \& b" in text
    assert r"\caption{hw1-1/sinc}" in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1


def test_every_form_has_a_suffix() -> None:
    """What can be printed can be filed."""
    assert FORMS.keys() == SUFFIXES.keys()


def test_a_wrong_form_gets_the_nearest() -> None:
    """A typo is answered with the name that was meant."""
    with pytest.raises(ValueError, match="nearest is 'markdown', all are markdown, csv, latex"):
        render(PAGE, "markdwon")
