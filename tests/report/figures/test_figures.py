"""All figures: found by their files, drawn for any leaderboard, without overlapping texts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.report.figures import load_figures
from regzoo.report.figures._output import render_svg
from regzoo.report.figures._style import SIZE, SMALL, WIDTH, use_style
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""

LEADERBOARDS: dict[str, dict[str, Any]] = {
    "near ties": {},
    "higher is better": {"direction": "max"},
    "runaway": {"runaway": 1e6},
    "tiny": {"size": 1e-8},
    "negative and huge": {"size": -1e9},
}

ORDINARY = [name for name in load_figures() if name not in ("sweep", "sweep_grid")]
"""The figures of every comparison."""

SWEEPS: dict[str, dict[str, Any]] = {
    "linear": {"over": ["dropout.rate"], "score": lambda r: 1 + (r - 0.4) ** 2},
    "log": {"over": ["l2.strength"], "score": lambda s: 1 + 0.1 * abs(np.log10(s + 1e-7) + 4)},
    "infinite": {"over": ["max_norm.limit"], "score": lambda c: 1 + 1 / c},
    "far neutral": {"over": ["ema.decay"], "score": lambda d: 2 - d, "direction": "max"},
    "whole": {"over": ["ensemble.members"], "score": lambda m: 1 / m},
    "dense, lost": {
        "over": ["dropout.rate"], "values": [np.linspace(0, 0.9, 40).round(3)], "score": lambda r: 1e-7 + r,
        "lost": (0.9,),
    },
    "runaway": {"over": ["dropout.rate"], "score": lambda r: 1e5 if r > 0.6 else 1 + r},
    "one seed, two values": {"over": ["dropout.rate"], "values": [[0, 0.5]], "score": lambda r: 1 + r, "seeds": 1},
    "unfinished": {"over": ["dropout.rate"], "score": lambda r: 1 + r, "pending": 8},
    "grid": {"over": ["dropout.rate", "l2.strength"], "score": lambda r, s: 1 + r + s, "lost": (0.7,), "pending": 2},
    "wide grid": {
        "over": ["dropout.rate", "l2.strength"], "values": [np.linspace(0, 0.7, 14), [0, *np.logspace(-7, -1, 9)]],
        "score": lambda r, s: 1e3 * (0.1 + r + s),
    },
    "runaway grid": {"over": ["dropout.rate", "max_norm.limit"], "score": lambda r, c: 1e-5 if r < 0.1 else 1e4 / c},
    "flat grid": {"over": ["dropout.rate", "l2.strength"], "score": lambda r, s: 0.0},
}  # fmt: skip

Box = tuple[float, float, float, float, str]


def texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> list[Box]:
    """Draw, and return each line of text that was drawn as (left, bottom, right, top, text), in pixels."""
    found: list[Box] = []
    original = RendererAgg.draw_text

    def draw_text(
        self: Any, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, *rest: Any, **more: Any
    ) -> None:
        width, height, descent = self.get_text_width_height_descent(s, prop, False)
        top = self.height - y  # y counts from above to the baseline
        if angle == 90:
            found.append((x - (height - descent), top, x + descent, top + width, s))
        else:
            found.append((x, top - descent, x + width, top + height - descent, s))
        original(self, gc, x, y, s, prop, angle, *rest, **more)

    monkeypatch.setattr(RendererAgg, "draw_text", draw_text)
    with use_style():
        FigureCanvasAgg(figure).draw()
    return [box for box in found if box[4].strip()]


def check_texts(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that no two texts overlap by more than a pixel, and that all lie on the canvas."""
    boxes = texts(figure, monkeypatch)
    assert boxes
    width, height = figure.get_size_inches() * figure.dpi
    for left, bottom, right, top, text in boxes:
        assert left >= -1, text
        assert bottom >= -1, text
        assert right <= width + 1, text
        assert top <= height + 1, text
    for a, b in itertools.combinations(boxes, 2):
        apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
        assert apart, (a, b)


def test_the_folder_is_the_registry() -> None:
    assert list(load_figures()) == [
        *("sweep", "sweep_grid", "leaderboard", "forest", "learning_curves", "strength_response", "calibration"),
        *("gap", "cost", "weights", "expected_best", "rank_by_budget"),
    ]


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("given", LEADERBOARDS.values(), ids=LEADERBOARDS)
@pytest.mark.slow
def test_awkward_leaderboards(
    name: str,
    given: dict[str, Any],
    awkward: Callable[..., Ranked],
    make_comparison: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = load_figures()[name]
    info = file.info(*awkward(**given), make_comparison())
    assert info.missing == ""
    check_texts(file.draw(info), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("given", SWEEPS.values(), ids=SWEEPS)
def test_awkward_sweeps(given: dict[str, Any], swept: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    name = "sweep" if len(given["over"]) == 1 else "sweep_grid"
    found = load_figures()[name].info(*swept(**given))
    assert found.fits
    assert found.missing == ""
    assert found.reading.count(". ") == 0
    check_texts(load_figures()[name].draw(found), monkeypatch)


@pytest.mark.parametrize("name", ORDINARY)
@pytest.mark.parametrize("count", [1, 2, pytest.param(9, marks=pytest.mark.slow)])
def test_from_one_recipe_on(
    name: str,
    count: int,
    quick: Ranked,
    make_comparison: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leaderboard = replace(quick[0], recipes=quick[0].recipes[-count:])
    file = load_figures()[name]
    info = file.info(leaderboard, quick[1], make_comparison())
    assert bool(info.missing) == (name == "forest" and count == 1)  # the baseline alone has no gain
    if not info.missing:
        check_texts(file.draw(info), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDINARY)
def test_fifteen_recipes_at_the_same_place(
    name: str,
    make_row: Any,
    make_leaderboard: Any,
    make_record: Any,
    make_comparison: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"gaussian_noise + early_stopping({i}) + l1_l2" for i in range(10, 25)]
    metrics = {part: {"nll": 0.1} for part in ("train", "validation", "test")}
    rows = [
        make_row(n, rank=i, tier=i, mean=0.1, low=0.1, high=0.1, gain=0.0, fit_seconds=1.0, metrics=metrics)
        for i, n in enumerate(names)
    ]
    records = [make_record(n, 0.1, number=i, history={"validation": {"nll": [0.1]}}) for n in names for i in (0, 1)]
    for n, (i, rate) in itertools.product(names, enumerate((1e-3, 1.01e-3))):
        records.append(make_record(n, 0.1, stage="trial", number=i, learning_rate=rate))
    file = load_figures()[name]
    check_texts(file.draw(file.info(make_leaderboard(rows), records, make_comparison())), monkeypatch)


@pytest.mark.parametrize("name", ORDINARY)
def test_texts_describe_the_direction_and_the_numbers(name: str, quick: Ranked, make_comparison: Any) -> None:
    info = load_figures()[name].info(*quick, make_comparison())
    assert info.reading.endswith(".")
    assert info.reading.count(". ") == 0  # one sentence
    assert "dropout" in info.alternative


@pytest.mark.parametrize("name", ORDINARY)
def test_it_says_why_it_is_missing(name: str, make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    info = load_figures()[name].info(make_leaderboard([make_row("none"), make_row("l2")]), [], make_comparison())
    assert info.missing.endswith(".")


def test_svg_has_title_description_and_ids_of_its_own() -> None:
    figure = Figure()
    figure.subplots().plot([1, 2], [3, 4])
    text = render_svg(figure, "mine", "A <title>", "what & why")
    assert text.startswith("<svg role=")
    assert '<title id="mine-title">A &lt;title&gt;</title>' in text
    assert '<desc id="mine-desc">what &amp; why</desc>' in text
    assert ' id="figure_1"' not in text
    assert ' id="mine-figure_1"' in text


def test_drawing_leaves_the_settings_as_they_were(quick: Ranked, make_comparison: Any) -> None:
    before = dict(matplotlib.rcParams)
    for name in ORDINARY:
        file = load_figures()[name]
        file.draw(file.info(*quick, make_comparison()))
    assert dict(matplotlib.rcParams) == before


def test_the_style_can_be_used_for_figures_of_your_own() -> None:
    with matplotlib.style.context("regzoo.report.figures.regzoo"):
        assert matplotlib.rcParams["font.size"] == SIZE
        assert matplotlib.rcParams["legend.fontsize"] == SMALL
        assert matplotlib.rcParams["figure.figsize"][0] == WIDTH


def test_parts_can_be_distinguished_in_gray() -> None:
    """Parts differ in marker and line, so color is never the only sign."""
    from regzoo.report.figures._style import PARTS

    assert len({style.marker for style in PARTS.values()}) == len({style.line for style in PARTS.values()}) == 3
    shades = sorted(
        np.dot([int(style.color[i : i + 2], 16) for i in (1, 3, 5)], [0.299, 0.587, 0.114]) for style in PARTS.values()
    )
    assert min(np.diff(shades)) > 40  # of 255
