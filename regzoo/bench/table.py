"""Table: a report of `regzoo bench` for the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

Values = dict[str, Any]


def tables(report: Values) -> Group:
    """Two tables for each case, what was measured and how many times as fast; then how to read them."""
    machine = report["machine"]
    head = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['ceiling_gflops']:.0f} GFLOP/s in float32 matrix "
        f"products; TensorFlow {machine['versions']['tensorflow']}, Keras {machine['versions']['keras']}, "
        f"KerasTuner {machine['versions']['keras-tuner']}{'; quick' if report['quick'] else ''}"
    )
    parts = [part for case in report["cases"] for part in (_measured(case), _ratios(case))]
    notes = [Text(note) for note in report["notes"]]
    return Group(Text(head), *parts, Text(""), *notes, Text(f"Measured in {report['seconds']:.0f} s."))


def _measured(case: Values) -> Table:
    table = Table(title=f"\n{case['title']} - {case['source']}", title_justify="left", box=None, pad_edge=False)
    table.add_column("way")
    for header in (
        "processes x threads",
        "suite s",
        "start-up s",
        "s per run",
        "steps/s",
        "of ceiling",
        "memory MB",
        "others' CPU",
    ):
        table.add_column(header, justify="right")
    overhead = any(way["overhead_ms"] is not None for way in case["ways"])
    if overhead:
        table.add_column("measuring ms per run", justify="right")
        table.add_column("overhead ms per run (median)", justify="right")
    for way in case["ways"]:
        cells = _cells(way) if way["status"] == "ok" else [way["status"]]
        table.add_row(Text(way["title"]), *map(Text, cells))
    reasons = [f"{way['title']}: {way['reason']}" for way in case["ways"] if way["reason"]]
    if reasons:
        table.caption, table.caption_justify = Text("\n".join(reasons)), "left"
    return table


def _cells(way: Values) -> list[str]:
    memory, others = way["peak_memory_mb"], way["others_share"]
    measuring, overhead, median = way["measuring_ms"], way["overhead_ms"], way["typical_overhead_ms"]
    return [
        f"{way['processes']} x {way['threads']}",
        f"{way['suite_seconds']:.1f}{'*' if way['extrapolated'] else ' '}",
        f"{way['start_up_seconds']:.1f}",
        f"{way['seconds_per_run']:.2f}",
        f"{way['steps_per_second']:.1f}",
        f"{100 * way['ceiling_share']:.1f} %",
        "" if memory is None else f"{memory:.0f}",
        "" if others is None else f"{others:.0%}",
        "" if measuring is None else f"{measuring:.0f}",
        "" if overhead is None else f"{overhead:.0f}" + ("" if median is None else f" ({median:.0f})"),
    ]


def _ratios(case: Values) -> Table:
    titles = {way["way"]: way["title"] for way in case["ways"] if way["status"] == "ok"}
    table = Table(title="\ntimes as fast as: suite (run)", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for title in titles.values():
        table.add_column(Text(title), justify="right")
    for one, title in titles.items():
        against = case["ratios"][one]
        cells = [f"{against[o]['suite']:.2f} ({against[o]['run']:.2f})" if o != one else "-" for o in titles]
        table.add_row(Text(title), *map(Text, cells))
    return table
