"""The gap: train against validation for each recipe, with test beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, finite, scale
from regzoo.report.figures._rows import stacked
from regzoo.report.figures._style import GREY, PARTS, SMALL, styled
from regzoo.report.figures._text import wrap
from regzoo.report.formatting import decimals, listing, show
from regzoo.training.records import Record

ORDER = 6
TITLE = "Gap between training and validation"


@dataclass(frozen=True)
class Row:
    """One recipe's mean score on each part (NaN where unknown); ``gap`` is validation minus train."""

    name: str
    train: float
    validation: float
    test: float

    @property
    def gap(self) -> float:
        """Validation minus train; NaN if one is unknown."""
        return self.validation - self.train


@dataclass(frozen=True)
class Gap(Info):
    """The measured recipes, from the best down."""

    rows: tuple[Row, ...]

    @property
    def missing(self) -> str:
        """No recipe has both ends."""
        return "" if self.rows else "No recipe has a score on both train and validation yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"The bar joins the mean {self.metric} on training data (square) and on validation data (circle), "
            f"{boards.better(self.direction)} is better: the further the square lies on the better side, the more the "
            "model has learnt by heart; the diamond is the test part, which no choice has seen, and at the right is "
            "validation minus training."
        )

    @property
    def alternative(self) -> str:
        """The gaps in words."""
        gaps = [f"{row.name} {row.gap:.3g}" for row in self.rows]
        return f"Validation minus training {self.metric} by recipe: {listing(gaps)}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Gap:
    """Return the mean of the ranking metric on each part of the data."""
    metric = board["rank_by"]
    parts = ("train", "validation", "test")
    rows = [Row(row["name"], *(boards.metric(row, part, metric) for part in parts)) for row in boards.measured(board)]
    return Gap(metric, board["direction"], tuple(row for row in rows if not math.isnan(row.gap)))


@styled
def draw(info: Gap) -> Figure:
    """Draw a dumbbell for each recipe, with its gap at the right."""
    rows = stacked([wrap(row.name, 2.3) for row in info.rows], 1.2)
    axes = rows.axes
    values = [value for row in info.rows for value in (row.train, row.validation, row.test)]
    dress(axes.xaxis, values, scale(finite(values)))
    axes.set_xlabel(f"{info.metric} ({boards.better(info.direction)} is better)")
    places = decimals(abs(row.gap) for row in info.rows)
    for row, middle in zip(info.rows, rows.middles, strict=True):
        axes.axhline(middle, color=GREY, linewidth=0.3, linestyle=":", zorder=0)
        axes.plot([row.train, row.validation], [middle, middle], color=GREY, linewidth=2.2, zorder=1)
        for name, look in PARTS.items():
            size = 4.5 if name == "test" else 6.5
            axes.plot([getattr(row, name)], [middle], look.marker, color=look.color, markersize=size, zorder=3)
        beside = axes.get_yaxis_transform()
        axes.text(1.02, middle, show(row.gap, places), transform=beside, va="center", size=SMALL)
    axes.annotate("gap", (1.02, 1), (0, 3), "axes fraction", "offset points", size=SMALL)
    rows.figure.legend(handles=_legend(), loc="outside upper left", ncols=3)
    return rows.figure


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=look.color, marker=look.marker, linestyle="", label=name) for name, look in PARTS.items()
    ]
