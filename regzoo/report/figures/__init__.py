"""Figures. The folder is the registry: one file, one figure; ``info()`` gives the numbers, ``draw()`` the picture."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from matplotlib.figure import Figure

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.report.descriptions import format_direction
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record


@dataclass(frozen=True)
class FigureInfo(ABC):
    """The numbers of a figure, and its texts.

    Attributes:
        metric: the ranking metric.
        direction: ``min`` or ``max``.
    """

    metric: str
    direction: str

    @property
    def better(self) -> str:
        """``lower is better`` or ``higher is better``."""
        return format_direction(self.direction)

    @property
    def fits(self) -> bool:
        """Whether the figure belongs to this comparison; one that does not is left off the page."""
        return True

    @property
    @abstractmethod
    def missing(self) -> str:
        """Why there is nothing to draw, in one sentence; empty if there is something."""

    @property
    @abstractmethod
    def reading(self) -> str:
        """How to read the figure, in one sentence."""

    @property
    @abstractmethod
    def alternative(self) -> str:
        """The content of the figure in words, for those who cannot see it."""


class FigureModule(Protocol):
    """A module of this folder. ``ORDER`` is its position on the page, ``TITLE`` its heading."""

    ORDER: int
    TITLE: str

    def info(self, leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> FigureInfo:
        """Return the figure's numbers."""

    def draw(self, info: Any) -> Figure:
        """Return the picture of `info`'s numbers."""


def load_figures() -> dict[str, FigureModule]:
    """Return the module of every figure by its name, in the order of the page."""
    names = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    modules = {name: cast(FigureModule, importlib.import_module(f"{__name__}.{name}")) for name in names}
    return dict(sorted(modules.items(), key=lambda item: item[1].ORDER))
