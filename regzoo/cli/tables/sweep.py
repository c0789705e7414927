"""The table of a sweep: the score at every value."""

from __future__ import annotations

import math

from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.comparison.strength_response import ResponsePoint, StrengthResponse
from regzoo.core.formatting import (
    MISSING,
    format_count,
    format_interval,
    format_number,
    format_percent,
    format_strength,
)
from regzoo.report.findings.sweep import choose_point_decimals, name_resampled


def make_response_table(response: StrengthResponse) -> Table:
    """Return one row per value or pair of values, then the baseline."""
    table = make_table()
    replicates = format_count(max(point.replicates for point in response.points), "replicate")
    table.caption = (
        f"{replicates} a value at most, which the intervals cover. Best in: share of the resamples of the "
        f"{name_resampled(response)}. Flat: within one standard error of the best."
    )
    names = [swept.name for swept in response.sweep.over]
    headers = [*names, f"{response.metric} ± sd", "95 % interval", f"train {response.metric}", "best in"]
    for header in headers:
        table.add_column(Text(header), justify="right", no_wrap=True)
    table.add_column("")
    decimals = choose_point_decimals(response)
    for point in response.points:
        best = response.best is not None and point.name == response.best.name
        cells = [*map(format_strength, point.values), *_format_scores(point, decimals), _format_remark(point, response)]
        table.add_row(*map(Text, cells), style="bold green" if best else None)
    baseline = response.baseline
    cells = [baseline.name, *[""] * (len(names) - 1), *_format_scores(baseline, decimals), "baseline"]
    table.add_row(*map(Text, cells))
    return table


def _format_scores(point: ResponsePoint, decimals: int) -> list[str]:
    spread = "" if math.isnan(point.sd) else f" ± {format_number(point.sd, decimals)}"
    interval = format_interval(point.low, point.high, decimals) or MISSING
    share = "" if math.isnan(point.p_best) else format_percent(point.p_best)
    return [format_number(point.mean, decimals) + spread, interval, format_number(point.train_mean, decimals), share]


def _format_remark(point: ResponsePoint, response: StrengthResponse) -> str:
    special = {"best": response.best, "mildest flat": response.knee}
    remarks = [remark for remark, other in special.items() if other is not None and other.name == point.name][:1]
    remarks += ["flat"] if point.flat and not remarks else []
    remarks += [f"{point.lost} of {point.replicates} lost"] if point.lost else []
    remarks += [] if point.replicates else ["not measured yet"]
    return ", ".join(remarks)
