"""Weight magnitudes of the baseline and of recipes that act on weights, and the share of small ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core import OnWeights
from regzoo.core.formatting import format_list, format_percent, format_significant
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import set_up_axis
from regzoo.report.figures._panels import make_panels
from regzoo.report.figures._style import BLUE, GRAY, SKY, SMALL, VERMILION, with_style
from regzoo.report.findings.strengths import parse_or_empty
from regzoo.report.runs import select_replicates
from regzoo.storage.info import ComparisonInfo
from regzoo.training.engine.diagnostics import SMALL as SMALL_WEIGHT
from regzoo.training.records import Record

ORDER = 8
TITLE = "Weight magnitudes"

MOST = 6
"""Most recipes that are shown besides the baseline, the best first."""


@dataclass(frozen=True)
class WeightsPanel:
    """One recipe, mean over its replicates.

    Attributes:
        edges: of the bins, in log10 |w|.
        shares: of the weights in each bin; they sum to 1.
        small: share of the weights below 0.001, which are practically zero.
        zero: share of the weights that are exactly zero.
    """

    name: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    small: float
    zero: float = 0.0

    @property
    def summary(self) -> str:
        """The share of small weights, and of exact zeros where there are any."""
        zeros = f", {format_percent(self.zero, 1)} exactly zero" if self.zero else ""
        return f"{format_percent(self.small, 1)} small{zeros}"


@dataclass(frozen=True)
class WeightsFigure(FigureInfo):
    """The baseline, then the recipes that act on weights, from the best down."""

    panels: tuple[WeightsPanel, ...]

    @property
    def missing(self) -> str:
        return "" if self.panels else "No replicate has recorded the magnitudes of its weights yet."

    @property
    def reading(self) -> str:
        return (
            "Each panel is a histogram of the absolute values of the weights, mean over the replicates, for the "
            "baseline (the dashed line in the other panels) and for recipes that act on weights; weights left of the "
            f"dotted line at {format_significant(SMALL_WEIGHT, 6)} are practically zero, and each panel gives their "
            "share."
        )

    @property
    def alternative(self) -> str:
        shares = format_list([f"{panel.name} {format_percent(panel.small, 1)}" for panel in self.panels])
        zeros = [f"{panel.name} {format_percent(panel.zero, 1)}" for panel in self.panels if panel.zero]
        exact = f" Exactly zero: {format_list(zeros)}." if zeros else ""
        return f"Share of weights below {format_significant(SMALL_WEIGHT, 6)}: {shares}.{exact}"


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> WeightsFigure:
    """Return the mean histograms."""
    rows = leaderboard.measured
    base = [row for row in rows if leaderboard.is_baseline(row)]
    others = [row for row in rows if row not in base and acts_on_weights(row.name)][:MOST]
    panels = (_make_panel(row.name, select_replicates(records, row.name)) for row in [*base, *others])
    return WeightsFigure(leaderboard.rank_by, leaderboard.direction, tuple(filter(None, panels)))


def acts_on_weights(name: str) -> bool:
    """Return True if a regularizer of the recipe acts on weights or shrinks them; False if it is unknown here.

    >>> acts_on_weights("dropout + l2"), acts_on_weights("weight_decay"), acts_on_weights("dropout")
    (True, True, False)
    """
    return any(isinstance(each, OnWeights) or each.name == "weight_decay" for each in parse_or_empty(name))


def _make_panel(name: str, runs: Sequence[Record]) -> WeightsPanel | None:
    spreads = [run.spread for run in runs if run.spread is not None and sum(run.spread["counts"])]
    if not spreads:
        return None
    shares = [[count / sum(spread["counts"]) for count in spread["counts"]] for spread in spreads]
    mean = [sum(column) / len(shares) for column in zip(*shares, strict=True)]
    small = sum(spread["small"] for spread in spreads) / len(spreads)
    zero = sum(spread.get("zero", 0.0) for spread in spreads) / len(spreads)  # older records do not have it
    return WeightsPanel(name, tuple(spreads[0]["edges"]), tuple(mean), small, zero)


@with_style
def draw(info: WeightsFigure) -> Figure:
    """Draw small multiples with common axes."""
    figure, panels = make_panels([panel.name for panel in info.panels], height=1.6)
    highest = max(share for panel in info.panels for share in panel.shares)
    for axes, panel in zip(panels, info.panels, strict=True):
        _draw_panel(axes, panel, info.panels[0])
        set_up_axis(axes.yaxis, [0.0, 100 * highest], "linear", ticks=3, margin=0.12)
        axes.set_ylim(bottom=0)
        axes.set_xticks([-6, -4, -2, 0], ["1e-6", "1e-4", "0.01", "1"])
    figure.supxlabel("absolute value of a weight")
    figure.supylabel("% of the weights")
    figure.legend(handles=_make_legend(info.panels[0].name), loc="outside upper left", ncols=3)
    return figure


def _draw_panel(axes: Axes, panel: WeightsPanel, first: WeightsPanel) -> None:
    shares = [100 * share for share in panel.shares]
    axes.stairs(shares, panel.edges, fill=True, color=SKY)
    axes.stairs(shares, panel.edges, color=BLUE, linewidth=1)
    axes.stairs([100 * share for share in first.shares], first.edges, color=VERMILION, linestyle="--", linewidth=1.2)
    axes.axvline(math.log10(SMALL_WEIGHT), color=GRAY, linestyle=":", linewidth=1.2)
    axes.set_xlim(panel.edges[0], panel.edges[-1])
    axes.text(0.03, 0.97, panel.summary, transform=axes.transAxes, va="top", size=SMALL)


def _make_legend(first: str) -> list[Line2D]:
    return [
        Line2D([], [], color=SKY, linewidth=6, label="recipe"),
        Line2D([], [], color=VERMILION, linestyle="--", label=first),
        Line2D([], [], color=GRAY, linestyle=":", label="threshold of small weights"),
    ]
