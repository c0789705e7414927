"""Weights: how large they are, the baseline's beside those of recipes that act on weights, and how many are small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.core import OnWeights
from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress
from regzoo.report.figures._panels import grid
from regzoo.report.figures._style import BLUE, GREY, SKY, SMALL, VERMILLION, canvas, styled
from regzoo.report.findings.strengths import recipe_of
from regzoo.report.formatting import listing
from regzoo.training.engine.diagnostics import SMALL as SMALL_WEIGHT
from regzoo.training.records import Record

ORDER = 8
TITLE = "Size of the weights"

MOST = 6
"""So many recipes beside the baseline are shown, the best first."""


@dataclass(frozen=True)
class Panel:
    """One recipe, mean over its replicates.

    Attributes:
        edges: of the bins, in log10 |w|.
        shares: of the weights in each bin; they sum to 1.
        small: share of the weights below 0.001, as good as absent.
    """

    name: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    small: float


@dataclass(frozen=True)
class Weights(Info):
    """The baseline, then the recipes that act on weights, from the best down."""

    panels: tuple[Panel, ...]

    @property
    def missing(self) -> str:
        """No replicate left a portrait of its weights."""
        return "" if self.panels else "No replicate has left the spread of its weights yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            "Each panel is a histogram of the sizes of the weights, mean over the replicates, with the baseline as a "
            f"line behind the recipes that act on weights: what lies left of the dotted line at {SMALL_WEIGHT:g} is as "
            "good as absent, and its share is written in the panel."
        )

    @property
    def alternative(self) -> str:
        """The small shares in words."""
        return f"Share of weights below {SMALL_WEIGHT:g}: {listing([f'{p.name} {p.small:.1%}' for p in self.panels])}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Weights:
    """Return the mean histograms."""
    rows = boards.measured(board)
    base = [row for row in rows if boards.is_baseline(board, row)]
    others = [row for row in rows if row not in base and on_weights(row["name"])][:MOST]
    panels = (_panel_of(row["name"], boards.replicates(records, row["name"])) for row in [*base, *others])
    return Weights(board["rank_by"], board["direction"], tuple(panel for panel in panels if panel is not None))


def on_weights(name: str) -> bool:
    """True if a regularizer of the recipe acts on weights, or shrinks them; False for one that is unknown here.

    >>> on_weights("dropout + l2"), on_weights("weight_decay"), on_weights("dropout")
    (True, True, False)
    """
    return any(isinstance(part, OnWeights) or part.name == "weight_decay" for part in recipe_of(name))


def _panel_of(name: str, runs: Sequence[Record]) -> Panel | None:
    spreads = [run.spread for run in runs if run.spread is not None and sum(run.spread["counts"])]
    if not spreads:
        return None
    shares = [[count / sum(spread["counts"]) for count in spread["counts"]] for spread in spreads]
    mean = [sum(column) / len(shares) for column in zip(*shares, strict=True)]
    small = sum(spread["small"] for spread in spreads) / len(spreads)
    return Panel(name, tuple(spreads[0]["edges"]), tuple(mean), small)


@styled
def draw(info: Weights) -> Figure:
    """Draw small multiples with common axes."""
    figure, panels = grid([panel.name for panel in info.panels], canvas, height=1.6)
    highest = max(share for panel in info.panels for share in panel.shares)
    for axes, panel in zip(panels, info.panels, strict=True):
        _panel(axes, panel, info.panels[0])
        dress(axes.yaxis, [0.0, 100 * highest], "linear", ticks=3, margin=0.12)
        axes.set_ylim(bottom=0)
        axes.set_xticks([-6, -4, -2, 0], ["1e-6", "1e-4", "0.01", "1"])
    figure.supxlabel("size of a weight", size="medium")
    figure.supylabel("% of the weights", size="medium")
    figure.legend(handles=_legend(info.panels[0].name), loc="outside upper left", ncols=3)
    return figure


def _panel(axes: Axes, panel: Panel, first: Panel) -> None:
    shares = [100 * share for share in panel.shares]
    axes.stairs(shares, panel.edges, fill=True, color=SKY)
    axes.stairs(shares, panel.edges, color=BLUE, linewidth=1)
    axes.stairs([100 * share for share in first.shares], first.edges, color=VERMILLION, linestyle="--", linewidth=1.2)
    axes.axvline(math.log10(SMALL_WEIGHT), color=GREY, linestyle=":", linewidth=1.2)
    axes.set_xlim(panel.edges[0], panel.edges[-1])
    axes.text(0.03, 0.97, f"{panel.small:.1%} small", transform=axes.transAxes, va="top", size=SMALL)


def _legend(first: str) -> list[Line2D]:
    return [
        Line2D([], [], color=SKY, linewidth=6, label="recipe"),
        Line2D([], [], color=VERMILLION, linestyle="--", label=first),
        Line2D([], [], color=GREY, linestyle=":", label="small below"),
    ]
