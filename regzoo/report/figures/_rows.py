"""A figure with a row for each recipe, as high as its label, the best on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from regzoo.report.figures._style import PALE, SMALL, make_figure


@dataclass(frozen=True)
class RowLayout:
    """Positions of the rows on the vertical axis of ``axes``: the middle and the height of each, in order."""

    figure: Figure
    axes: Axes
    middles: tuple[float, ...]
    heights: tuple[float, ...]

    def shade_tiers(self, tiers: Sequence[str], x: float) -> None:
        """Shade every other block of rows with equal ``tiers``, and write its name at ``x``, a share of the width."""
        for number, (tier, group) in enumerate(groupby(range(len(tiers)), key=tiers.__getitem__)):
            members = list(group)
            top = self.middles[members[0]] + self.heights[members[0]] / 2
            bottom = self.middles[members[-1]] - self.heights[members[-1]] / 2
            if number % 2 == 0:
                self.axes.axhspan(bottom, top, color=PALE, zorder=0)
            if tier:
                place = self.axes.get_yaxis_transform()
                self.axes.text(x, (top + bottom) / 2, f"tier {tier}", transform=place, va="center", size=SMALL)


def stack_rows(labels: Sequence[str], margin: float) -> RowLayout:
    """Return a figure with a row for each of ``labels``, and ``margin`` inches above and below them together."""
    heights = tuple(0.14 + 0.15 * (label.count("\n") + 1) for label in labels)
    middles = tuple(-(sum(heights[:i]) + height / 2) for i, height in enumerate(heights))
    figure = make_figure(margin + sum(heights))
    axes = figure.add_subplot()
    axes.set_ylim(-sum(heights), 0)
    axes.set_yticks(middles, labels)
    axes.tick_params(axis="y", length=0)
    return RowLayout(figure, axes, middles, heights)
