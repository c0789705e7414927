"""Forest plot: each recipe's paired gain over the baseline with its interval, tier by tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, finite, scale
from regzoo.report.figures._rows import stacked
from regzoo.report.figures._style import BLUE, SMALL, VERMILLION, styled
from regzoo.report.figures._text import wrap
from regzoo.report.formatting import MISSING, decimals, interval, listing, percent, show
from regzoo.training.records import Record

ORDER = 2
TITLE = "Gains over the baseline"


@dataclass(frozen=True)
class Row:
    """One recipe's gain, positive is better; ``better`` is the share of pairs won. NaN where unknown."""

    name: str
    tier: str
    gain: float
    low: float
    high: float
    better: float
    sure: bool


@dataclass(frozen=True)
class Forest(Info):
    """The recipes with a gain, from the best down."""

    baseline: str
    rows: tuple[Row, ...]

    @property
    def missing(self) -> str:
        """No recipe was paired with the baseline."""
        return "" if self.rows else f"No recipe has finished a replicate that pairs with one of {self.baseline} yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Each row is the mean paired gain in validation {self.metric} over {self.baseline} (the dashed line at "
            "zero), positive is better: the bar is its 95 % interval, a filled square is told apart from the baseline "
            "after adjustment, an open one is not, and at the right stands the share of paired runs it won."
        )

    @property
    def alternative(self) -> str:
        """The gains in words."""
        places = _places(self.rows)
        gains = [f"{r.name} {show(r.gain, places)} ({interval(r.low, r.high, places) or 'no interval'})"
                 for r in self.rows]  # fmt: skip
        return f"Gain in validation {self.metric} over {self.baseline}: {listing(gains)}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Forest:
    """Return every gain that is known, in the board's order."""
    rows = [
        Row(
            row["name"],
            "" if row["tier"] is None else str(row["tier"]),
            boards.number(row["gain"]),
            boards.number(row["gain_low"]),
            boards.number(row["gain_high"]),
            boards.number(row["p_better"]),
            row["verdict"] == "conclusive",
        )
        for row in boards.measured(board)
        if boards.known(row["gain"]) and not boards.is_baseline(board, row)
    ]
    return Forest(board["rank_by"], board["direction"], board["baseline"], tuple(rows))


def _places(rows: Sequence[Row]) -> int:
    return decimals((row.high - row.low) / 2 for row in rows)


@styled
def draw(info: Forest) -> Figure:
    """Draw a row for each recipe."""
    rows = stacked([wrap(row.name, 2.3) for row in info.rows], 1.2)
    axes = rows.axes
    values = finite([0.0, *(value for row in info.rows for value in (row.gain, row.low, row.high))])
    dress(axes.xaxis, values, scale(values))
    axes.set_xlabel(f"gain in validation {info.metric} over {wrap(info.baseline, 2.0, most=1)} (positive is better)")
    axes.axvline(0, color=VERMILLION, linestyle="--", linewidth=1.2, zorder=1)
    rows.shade([row.tier for row in info.rows], 1.075)
    for row, middle in zip(info.rows, rows.middles, strict=True):
        if len(finite([row.low, row.high])) == 2:
            axes.plot([row.low, row.high], [middle, middle], color=BLUE, linewidth=2.2, zorder=2)
        axes.plot([row.gain], [middle], zorder=3, **(_TOLD if row.sure else _OPEN))
        won = percent(row.better) if finite([row.better]) else MISSING
        axes.text(1.06, middle, won, transform=axes.get_yaxis_transform(), va="center", ha="right", size=SMALL)
    axes.annotate("won", (1.06, 1), (0, 3), "axes fraction", "offset points", ha="right", size=SMALL)
    rows.figure.legend(handles=_legend(), loc="outside upper left", ncols=4)
    return rows.figure


_TOLD: dict[str, Any] = {"marker": "s", "linestyle": "", "color": BLUE, "markersize": 6.5}
_OPEN: dict[str, Any] = {**_TOLD, "markerfacecolor": "white", "mew": 1.6}


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], label="told apart", **_TOLD),
        Line2D([], [], label="not told apart", **_OPEN),
        Line2D([], [], color=BLUE, linewidth=2.2, label="95 % interval"),
        Line2D([], [], color=VERMILLION, linestyle="--", label="baseline"),
    ]
