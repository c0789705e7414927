"""Small multiples: a grid of panels, each with a title that fits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from regzoo.report.figures._style import SIZE, WIDTH, make_figure
from regzoo.report.figures._text import wrap_text


def make_panels(titles: Sequence[str], *, height: float, columns: int = 3) -> tuple[Figure, list[Axes]]:
    """Return a figure with one panel, ``height`` inches high, for each title, in reading order."""
    columns = min(columns, len(titles))
    rows = math.ceil(len(titles) / columns)
    wrapped = [wrap_text(title, (WIDTH - 0.6) / columns - 0.7, SIZE) for title in titles]
    lines = [max(t.count("\n") + 1 for t in wrapped[i * columns : (i + 1) * columns]) for i in range(rows)]
    figure = make_figure(0.75 + sum(height + 0.17 * count for count in lines))
    spec = figure.add_gridspec(rows, columns)
    panels = [figure.add_subplot(spec[divmod(index, columns)]) for index in range(len(titles))]
    for axes, title in zip(panels, wrapped, strict=True):
        axes.set_title(title)
    return figure, panels
