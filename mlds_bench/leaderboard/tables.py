"""The leaderboard of a preset, from its records alone: a table a variant, and one over variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlds_bench.leaderboard.families import family_table
from mlds_bench.leaderboard.record import (
    NoRecords,
    Record,
    read_records,
    record_path,
    replace_file,
)
from mlds_bench.leaderboard.render import (
    ABSENT,
    SUFFIXES,
    Column,
    Page,
    Row,
    Table,
    arrow,
    fixed,
    interval,
    number,
    quantity,
    render,
    significant,
)
from mlds_bench.leaderboard.rows import (
    agent_row,
    anchor_rows,
    grouped,
    hardware_text,
    overall_row,
    published_rows,
)

LEGEND = (
    "n: seeds that ended well; ±: half-width of Student's 95% interval of their mean",
    "normalized: 0 at random actions, 1 at the pass mark, mean over seeds; "
    "†: failed cells count as the trivial anchor",
    "seconds: mean wall time of a cell; steps/s: environment steps a second of training",
)
LEGEND_OVERALL = (
    "IQM: interquartile mean of the normalized scores of all runs; interval: stratified bootstrap, "
    "from two seeds a variant on; agents with fewer variants come last"
)
SAME_IN_VARIANT = ("anchors", "env_kwargs", "data_checksum", "test_episodes")
SAME_IN_AGENT = ("agent_hash", "agent_params", "env_options", "budget")


def leaderboard(records: Sequence[Record], *, title: str, anchors: bool = False) -> Page:
    """The leaderboard of some records of one preset.

    Args:
        records: at least one record; the order does not matter.
        title: head of the page.
        anchors: whether the anchors stand in the tables as rows of their own.

    Returns:
        A table for each variant (and each version of its environment), best agent first; from two
        variants on, a table over all of them before. The variants of a family share a table, and
        do not count in the one over all.
    """
    ordered = sorted(records, key=lambda record: record.identity)
    single = [record for record in ordered if not record.family]
    groups = grouped(single, lambda r: (r.variant, r.env_version, r.primary))
    tables = [_variant_table(group, anchors=anchors) for group in groups.values()]
    several = len({record.variant for record in single}) > 1
    overall = [_overall_table(single)] if several else []
    families = grouped(
        (record for record in ordered if record.family),
        lambda r: (r.variant.partition("/")[0], r.family, r.env_version, r.primary),
    )
    tables += [family_table(group) for group in families.values()]
    hardware = dict.fromkeys(f"hardware: {hardware_text(record)}" for record in ordered)
    legend = (*LEGEND, LEGEND_OVERALL) if several else LEGEND
    return Page(title, (*overall, *tables), (*legend, *hardware))


def leaderboards(folder: str | Path, *, anchors: bool = False) -> dict[str, Page]:
    """The leaderboard of every preset below a folder.

    Args:
        folder: the folder of a run, of a preset, or any folder below.
        anchors: whether the anchors stand in the tables as rows of their own.

    Returns:
        A page a preset, in order of their names.

    Raises:
        NoRecords: the folder does not exist or holds no record.
        TornRecord: one of the files is no record.
    """
    return _leaderboards(read_records(folder), anchors=anchors)


def write_tables(out: str | Path) -> list[Path]:
    """Writes the leaderboard of every preset of a run beside the preset's folder.

    Args:
        out: the folder of the run, `<out>/<preset>/...`.

    Returns:
        The files written: `<out>/<preset>.md`, `.csv`, `.tex`, `.json` for each preset.

    Raises:
        NoRecords: the folder does not exist, holds no record, or is not the folder of a run.
        TornRecord: one of the files is no record.
        OSError: the folder cannot be written.
    """
    records = read_records(out)
    if not record_path(out, records[0]).is_file():
        raise NoRecords(f"{out}: lies inside a preset; give the folder that holds the presets")
    written = []
    for preset, page in _leaderboards(records).items():
        for form, suffix in SUFFIXES.items():
            path = Path(out, preset + suffix)
            replace_file(path, render(page, form))
            written.append(path)
    return written


def _leaderboards(records: Sequence[Record], *, anchors: bool = False) -> dict[str, Page]:
    presets = grouped(records, lambda record: record.preset)
    return {
        preset: leaderboard(presets[preset], title=f"mlds-bench, preset {preset}", anchors=anchors)
        for preset in sorted(presets)
    }


def _variant_table(records: Sequence[Record], *, anchors: bool) -> Table:
    agents = grouped(records, lambda record: record.agent)
    figures = published_rows(records) + (anchor_rows(records) if anchors else [])
    rows = sorted([*map(agent_row, agents.values()), *figures], key=_rank)
    first = rows[0]
    columns = (
        Column("agent", lambda row: str(row["agent"]), "left"),
        Column(f"{first['score']} {arrow(first)}", _show_score),
        Column("n", lambda row: str(row.get("n", ABSENT))),
        Column("normalized ↑", lambda row: _marked(row, "normalized")),
        Column("seconds", lambda row: significant(number(row, "wall_seconds"))),
        Column("steps/s", lambda row: significant(number(row, "steps_per_second"))),
        Column("version", lambda row: str(row["env_version"]).rsplit("-", 1)[-1], "left"),
        Column("state", lambda row: str(row["state"]), "left"),
    )
    why = [f"{row['agent']}: {row['reason']}" for row in rows if row.get("reason")]
    learnt = dict.fromkeys((one.agent, one.pretrained) for one in records if one.pretrained)
    origins = [f"{agent}: learnt in {origin}" for agent, origin in learnt]
    notes = (*why, *origins, *_source_notes(figures), *_disagreements(records, agents))
    return Table(f"{first['variant']} ({first['env_version']})", columns, tuple(rows), notes)


def _overall_table(records: Sequence[Record]) -> Table:
    agents = grouped(records, lambda record: record.agent)
    total = len({record.variant for record in records})
    rows = sorted(map(overall_row, agents.values()), key=_overall_rank)
    columns = (
        Column("agent", lambda row: str(row["agent"]), "left"),
        Column("IQM normalized ↑", lambda row: _marked(row, "iqm")),
        Column("95% interval", lambda row: interval(row, "iqm")),
        Column("mean", lambda row: fixed(number(row, "mean"))),
        Column("variants", lambda row: f"{row['variants']} of {total}"),
        Column("n", lambda row: str(row["n"])),
    )
    return Table("all variants", columns, tuple(rows))


def _show_score(row: Row) -> str:
    return quantity(number(row, "mean"), number(row, "half_width"))


def _marked(row: Row, name: str) -> str:
    return fixed(number(row, name)) + ("†" if row.get("counted_as_trivial") else "")


def _rank(row: Row) -> tuple[bool, float, str]:
    normalized = number(row, "normalized")
    return normalized is None, -(normalized or 0.0), str(row["agent"])


def _overall_rank(row: Row) -> tuple[float, float, str]:
    return -(number(row, "variants") or 0), -(number(row, "iqm") or 0.0), str(row["agent"])


def _source_notes(figures: Sequence[Row]) -> list[str]:
    groups = grouped(figures, lambda row: (row["kind"], row["source"]))
    return [
        f"{kind} {', '.join(str(row['agent']) for row in rows)}: {source}"
        for (kind, source), rows in groups.items()
    ]


def _disagreements(records: Sequence[Record], agents: dict[str, list[Record]]) -> list[str]:
    """What should be equal among records that are averaged or set side by side, and is not."""
    notes = [("agents", name) for name in SAME_IN_VARIANT if _differ(records, name)]
    notes += [
        (f"seeds of {agent}", name)
        for agent, members in agents.items()
        for name in SAME_IN_AGENT
        if _differ(members, name)
    ]
    return [f"{who} differ in {name}: run the variant again" for who, name in notes]


def _differ(records: Sequence[Record], name: str) -> bool:
    values = [getattr(record, name) for record in records if record.state == "ok"]
    return any(value != values[0] for value in values)
