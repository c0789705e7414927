"""Figures. The folder is the registry: one file, one figure; info() gives the numbers, draw() the picture."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from matplotlib.figure import Figure

from regzoo.training.records import Record


@dataclass(frozen=True)
class Info(ABC):
    """The numbers of a figure, and what is said about them.

    Attributes:
        metric: the ranking metric.
        direction: ``min`` or ``max``.
    """

    metric: str
    direction: str

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
        """What the figure shows, in words, for those who cannot see it."""


class FigureFile(Protocol):
    """What a file of this folder offers. ``ORDER`` is its place on the page, ``TITLE`` its heading."""

    ORDER: int
    TITLE: str

    def info(self, board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Info:
        """Return the figure's numbers."""

    def draw(self, info: Any) -> Figure:
        """Return the picture of `info`'s numbers."""


def figures() -> dict[str, FigureFile]:
    """Every figure by the name of its file, in the order of the page."""
    names = [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]
    files = {name: cast(FigureFile, importlib.import_module(f"{__name__}.{name}")) for name in names}
    return dict(sorted(files.items(), key=lambda item: item[1].ORDER))
