"""Rows: a figure with a row for each recipe, as high as its label, the best on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from regzoo.report.figures._style import PALE, SMALL, canvas


@dataclass(frozen=True)
class Rows:
    """Where the rows lie on the vertical axis of ``axes``: the middle and the height of each, in order."""

    figure: Figure
    axes: Axes
    middles: tuple[float, ...]
    heights: tuple[float, ...]

    def shade(self, tiers: Sequence[str], place: float) -> None:
        """Shade every other run of equal ``tiers``, and name each at ``place``, a share of the width."""
        for number, (tier, group) in enumerate(groupby(range(len(tiers)), key=tiers.__getitem__)):
            members = list(group)
            top = self.middles[members[0]] + self.heights[members[0]] / 2
            bottom = self.middles[members[-1]] - self.heights[members[-1]] / 2
            if number % 2 == 0:
                self.axes.axhspan(bottom, top, color=PALE, zorder=0)
            if tier:
                beside = self.axes.get_yaxis_transform()
                self.axes.text(place, (top + bottom) / 2, f"tier {tier}", transform=beside, va="center", size=SMALL)


def stacked(labels: Sequence[str], margin: float) -> Rows:
    """Return a figure with a row for each of ``labels``, and ``margin`` inches above and below them together."""
    heights = tuple(0.14 + 0.15 * (label.count("\n") + 1) for label in labels)
    middles = tuple(-(sum(heights[:i]) + height / 2) for i, height in enumerate(heights))
    figure = canvas(margin + sum(heights))
    axes = figure.add_subplot()
    axes.set_ylim(-sum(heights), 0)
    axes.set_yticks(middles, labels)
    axes.tick_params(axis="y", length=0)
    return Rows(figure, axes, middles, heights)
