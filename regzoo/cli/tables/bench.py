"""The tables of ``regzoo bench``: measurements, and speed ratios between the ways of training."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.core.formatting import format_fixed, format_percent

Values = dict[str, Any]

MEASURED = ("processes x threads", "suite s", "start-up s", "s per run", "steps/s", "of ceiling", "memory MB")
MEASURED_BY_REGZOO = ("measuring ms per run", "overhead ms per run (median)")


def make_bench_tables(report: Values) -> Group:
    """Return two tables per case, the measurements and the ratios; then how to read them."""
    machine = report["machine"]
    ceiling = format_fixed(machine["ceiling_gflops"], 0)
    head = (
        f"{machine['processor']}, {machine['cores']} cores, {ceiling} GFLOP/s in float32 matrix "
        f"products; TensorFlow {machine['versions']['tensorflow']}, Keras {machine['versions']['keras']}, "
        f"KerasTuner {machine['versions']['keras-tuner']}{'; quick' if report['quick'] else ''}"
    )
    tables = [table for case in report["cases"] for table in (_make_measured_table(case), _make_ratio_table(case))]
    notes = [Text(note) for note in report["notes"]]
    return Group(Text(head), *tables, Text(""), *notes, Text(f"Measured in {format_fixed(report['seconds'], 0)} s."))


def _make_measured_table(case: Values) -> Table:
    table = make_table("way", title=escape(f"\n{case['title']} - {case['source']}"))
    overhead = any(way["overhead_ms"] is not None for way in case["ways"])
    for header in (*MEASURED, "others' CPU", *(MEASURED_BY_REGZOO if overhead else ())):
        table.add_column(header, justify="right")
    for way in case["ways"]:
        cells = _format_measurements(way) if way["status"] == "ok" else [way["status"]]
        table.add_row(Text(way["title"]), *map(Text, cells))
    reasons = [f"{way['title']}: {way['reason']}" for way in case["ways"] if way["reason"]]
    if reasons:
        table.caption = Text("\n".join(reasons))
    return table


def _format_measurements(way: Values) -> list[str]:
    memory, others = way["peak_memory_mb"], way["others_share"]
    measuring, overhead, median = way["measuring_ms"], way["overhead_ms"], way["typical_overhead_ms"]
    return [
        f"{way['processes']} x {way['threads']}",
        format_fixed(way["suite_seconds"], 1) + ("*" if way["extrapolated"] else " "),
        format_fixed(way["start_up_seconds"], 1),
        format_fixed(way["seconds_per_run"], 2),
        format_fixed(way["steps_per_second"], 1),
        format_percent(way["ceiling_share"], 1),
        format_fixed(memory, 0),
        "" if others is None else format_percent(others, unit="%"),
        format_fixed(measuring, 0),
        format_fixed(overhead, 0) + ("" if overhead is None or median is None else f" ({format_fixed(median, 0)})"),
    ]


def _make_ratio_table(case: Values) -> Table:
    titles = {way["way"]: way["title"] for way in case["ways"] if way["status"] == "ok"}
    table = make_table("", title="\ntimes as fast as: suite (run)")
    for title in titles.values():
        table.add_column(Text(title), justify="right")
    for way, title in titles.items():
        ratios = case["ratios"][way]
        cells = ["-" if other == way else _format_ratios(ratios[other]) for other in titles]
        table.add_row(Text(title), *map(Text, cells))
    return table


def _format_ratios(ratios: Values) -> str:
    return f"{format_fixed(ratios['suite'], 2)} ({format_fixed(ratios['run'], 2)})"
