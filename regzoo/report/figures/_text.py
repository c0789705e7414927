"""Text in figures: how wide it is, where lines break, and how to place labels without overlap."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from regzoo.core.escaping import escape_control_characters
from regzoo.report.figures._style import SMALL


def measure_width(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """Return the width of the longest line of ``text``, in inches."""
    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    lines = text.split("\n")
    return max(text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] for line in lines) / 72


def wrap_text(text: str, width: float, size: float = SMALL, most: int = 3, weight: str = "normal") -> str:
    """Break ``text`` into lines of at most ``width`` inches; text beyond ``most`` lines is cut off with an ellipsis.

    Lines break at spaces, and inside a word only if the word alone is too wide.

    >>> wrap_text("dropout + early_stopping", 1.0)
    'dropout +\\nearly_stopping'
    """
    lines: list[str] = []
    for word in _split_words(text, width, size, weight):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and measure_width(joined, size, weight) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    if len(lines) > most:
        lines = lines[:most]
        while measure_width(lines[-1] + "…", size, weight) > width:
            lines[-1] = lines[-1][:-1]
        lines[-1] += "…"
    return "\n".join(lines)


def _split_words(text: str, width: float, size: float, weight: str) -> list[str]:
    """Return the words of ``text``; one that is too wide is split, after a bracket or the like if there is one."""
    words, rest = [], escape_control_characters(text).split()
    while rest:
        word = rest.pop(0)
        count = len(word)
        while count > 1 and measure_width(word[:count], size, weight) > width:
            count -= 1
        if count < len(word):
            count = max((i for i in range(2, count + 1) if word[i - 1] in "(=,_|["), default=count)
            rest.insert(0, word[count:])
        words.append(word[:count])
    return words


def spread_labels(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Return centers as near as possible to ``wanted`` so that labels of these sizes do not overlap.

    Labels keep their order and stay between ``low`` and ``high`` as far as they fit.

    >>> spread_labels([5.0, 5.0, 9.0], [2.0, 2.0, 2.0], 0.0, 10.0)
    [4.0, 6.0, 9.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    blocks: list[tuple[list[int], float, float]] = []  # members, total size, center
    for index in order:
        blocks.append(([index], sizes[index], _clip(wanted[index], sizes[index], low, high)))
        while len(blocks) > 1 and blocks[-2][2] + blocks[-2][1] / 2 > blocks[-1][2] - blocks[-1][1] / 2 + 1e-9:
            (below, _, _), (above, _, _) = blocks[-2:]
            blocks[-2:] = [_merge(below + above, wanted, sizes, low, high)]
    centers = [0.0] * len(wanted)
    for members, total, center in blocks:
        edge = center - total / 2
        for index in members:
            centers[index] = edge + sizes[index] / 2
            edge += sizes[index]
    return centers


def _merge(
    members: list[int], wanted: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> tuple[list[int], float, float]:
    """Return a block of touching labels, placed at the mean of where they would like to be."""
    total = sum(sizes[index] for index in members)
    offset, edge = 0.0, -total / 2
    for index in members:
        offset += wanted[index] - (edge + sizes[index] / 2)
        edge += sizes[index]
    return members, total, _clip(offset / len(members), total, low, high)


def _clip(center: float, size: float, low: float, high: float) -> float:
    return min(max(center, low + size / 2), max(high - size / 2, low + size / 2))
