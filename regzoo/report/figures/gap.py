"""Gap between the training and the validation score of each recipe, with the test score for comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import choose_decimals, format_list, format_number, format_significant
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, keep_finite, set_up_axis
from regzoo.report.figures._rows import stack_rows
from regzoo.report.figures._style import GRAY, PARTS, SMALL, with_style
from regzoo.report.figures._text import wrap_text
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 6
TITLE = "Gap between training and validation"


@dataclass(frozen=True)
class GapRow:
    """The mean score of one recipe on each part; NaN where unknown."""

    name: str
    train: float
    validation: float
    test: float

    @property
    def gap(self) -> float:
        """Validation minus train; NaN if one is unknown."""
        return self.validation - self.train


@dataclass(frozen=True)
class GapFigure(FigureInfo):
    """The measured recipes, from the best down."""

    rows: tuple[GapRow, ...]

    @property
    def missing(self) -> str:
        return "" if self.rows else "No recipe has a score on both the training and the validation part yet."

    @property
    def reading(self) -> str:
        return (
            f"The bar joins the mean {self.metric} on the training part (square) and on the validation part (circle), "
            f"{self.better}: the further the square lies on the better side, the more the model has memorized; the "
            "diamond is the test part, which was used for no choice, and the number on the right is validation minus "
            "training."
        )

    @property
    def alternative(self) -> str:
        gaps = [f"{row.name} {format_significant(row.gap, 3)}" for row in self.rows]
        return f"Validation minus training {self.metric} by recipe: {format_list(gaps)}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> GapFigure:
    """Return the mean of the ranking metric on each part of the data."""
    metric = leaderboard.rank_by
    parts = ("train", "validation", "test")
    rows = [GapRow(row.name, *(row.metric(part, metric) for part in parts)) for row in leaderboard.measured]
    return GapFigure(metric, leaderboard.direction, tuple(row for row in rows if not math.isnan(row.gap)))


@with_style
def draw(info: GapFigure) -> Figure:
    """Draw a dumbbell for each recipe, with its gap at the right."""
    rows = stack_rows([wrap_text(row.name, 2.3) for row in info.rows], 1.2)
    axes = rows.axes
    values = [value for row in info.rows for value in (row.train, row.validation, row.test)]
    set_up_axis(axes.xaxis, values, choose_scale(keep_finite(values)))
    axes.set_xlabel(f"{info.metric} ({info.better})")
    decimals = choose_decimals(abs(row.gap) for row in info.rows)
    for row, middle in zip(info.rows, rows.middles, strict=True):
        axes.axhline(middle, color=GRAY, linewidth=0.3, linestyle=":", zorder=0)
        axes.plot([row.train, row.validation], [middle, middle], color=GRAY, linewidth=2.2, zorder=1)
        for name, style in PARTS.items():
            size = 4.5 if name == "test" else 6.5
            axes.plot([getattr(row, name)], [middle], style.marker, color=style.color, markersize=size, zorder=3)
        gap, place = format_number(row.gap, decimals), axes.get_yaxis_transform()
        axes.text(1.02, middle, gap, transform=place, va="center", size=SMALL)
    axes.annotate("gap", (1.02, 1), (0, 3), "axes fraction", "offset points", size=SMALL)
    rows.figure.legend(handles=_make_legend(), loc="outside upper left", ncols=3)
    return rows.figure


def _make_legend() -> list[Line2D]:
    return [
        Line2D([], [], color=style.color, marker=style.marker, linestyle="", label=name)
        for name, style in PARTS.items()
    ]
