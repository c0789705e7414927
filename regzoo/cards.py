"""Cards and tables for the terminal: the zoo, a plan, failures."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from regzoo.data.catalog import SOURCES
from regzoo.language import Backbone, InputError, Regularizer, backbones, did_you_mean, places, regularizers
from regzoo.language.fields import StrengthSpec
from regzoo.language.named import Named, specs
from regzoo.training.record import Record


def catalogue() -> dict[str, Any]:
    """Everything there is, as plain values."""
    return {
        "regularizers": [card(name) for name in regularizers()],
        "backbones": [card(name) for name in backbones()],
        "sources": dict(SOURCES),
    }


def card(name: str) -> dict[str, Any]:
    """One regularizer or backbone, as plain values.

    Raises:
        InputError: if there is none of this name.
    """
    kind = _kind(name)
    sections = _sections(kind)
    described: dict[str, Any] = {"name": name, "does": sections["does"], "fields": _fields(kind)}
    if issubclass(kind, Regularizer):
        described |= {
            "places": places(kind()),
            "formula": sections["Formula"],
            "reference": sections["Reference"],
            "example": _example(kind),
            "clashes": _clashes(kind),
        }
    return described


def _kind(name: str) -> type[Named]:
    kinds: dict[str, type[Named]] = {**regularizers(), **backbones()}
    if name not in kinds:
        raise InputError(f"the zoo has no {name!r}.{did_you_mean(name, kinds)}")
    return kinds[name]


def _fields(kind: type[Named]) -> list[dict[str, Any]]:
    found = []
    for field, spec in specs(kind).items():
        strength = isinstance(spec, StrengthSpec)
        entry: dict[str, Any] = {"name": field, "domain": str(spec.domain) if spec.domain else ", ".join(spec.options)}  # type: ignore[union-attr]
        if strength and isinstance(spec, StrengthSpec):
            entry |= {"range": str(spec.range), "log": spec.log, "neutral": _plain(spec.neutral)}
        else:
            default = getattr(kind(), field)
            entry |= {"default": list(default) if isinstance(default, tuple) else default}
        found.append(entry)
    return found


def _plain(number: float | None) -> float | str | None:
    """A number as JSON can say it: an infinite limit is the word ``inf``."""
    return number if number is None or math.isfinite(number) else str(number)


def _sections(kind: type[Named]) -> dict[str, str]:
    """The docstring's first line, and its paragraphs that begin with a word and a colon, each on one line."""
    paragraphs = [" ".join(p.split()) for p in inspect.cleandoc(kind.__doc__ or "").split("\n\n")]
    found = {"does": paragraphs[0], "Formula": "", "Reference": ""}
    for paragraph in paragraphs[1:]:
        word, colon, rest = paragraph.partition(": ")
        if colon and word in found:
            found[word] = rest
    return found


def _clashes(kind: type[Regularizer]) -> list[str]:
    """What it and the rest of the zoo say about standing side by side, and about it standing alone."""
    one = kind()
    others = [other() for name, other in regularizers().items() if name != one.name]
    said = [one.refuses([]), *(one.clashes([other]) or other.clashes([one]) for other in others)]
    return [sentence for sentence in said if sentence]


def _example(kind: type[Regularizer]) -> str:
    """The recipe that the docstring prints, in the company that it needs."""
    lines = [line.strip() for line in (kind.__doc__ or "").splitlines()]
    printed = next((lines[i + 1] for i, line in enumerate(lines) if line.startswith(">>> print(")), kind.name)
    return f"{kind.company} + {printed}" if kind.company and "+" not in printed else printed


def listing() -> Group:
    """The zoo in tables."""
    zoo = Table(title="Regularizers", box=None, pad_edge=False, title_justify="left")
    for header in ("name", "acts on", "strengths (searched range)", "does"):
        zoo.add_column(header)
    for name, kind in regularizers().items():
        sections = _sections(kind)
        strengths = ", ".join(f"{f['name']} {f['range']}" for f in _fields(kind) if "range" in f)
        zoo.add_row(name, ", ".join(places(kind())), strengths, sections["does"])
    bones = Table(title="\nBackbones", box=None, pad_edge=False, title_justify="left")
    bones.add_column("name")
    bones.add_column("does")
    for name, backbone in backbones().items():
        bones.add_row(name, _sections(backbone)["does"])
    data = Table(title="\nData sources", box=None, pad_edge=False, title_justify="left")
    data.add_column("write")
    data.add_column("for")
    for written, what in SOURCES.items():
        data.add_row(Text(written), Text(what))
    return Group(zoo, bones, data)


def card_text(name: str) -> Group:
    """One card, for the terminal: its docstring, which holds formula, strengths, reference and example."""
    kind = _kind(name)
    what = f"backbone: {kind()}" if issubclass(kind, Backbone) else f"acts on: {', '.join(places(kind()))}"  # type: ignore[arg-type]
    table = Table(box=None, pad_edge=False)
    for header in ("field", "domain", "searched range", "neutral", "default"):
        table.add_column(header)
    for field in _fields(kind):
        log = " (log)" if field.get("log") else ""
        neutral = "" if field.get("neutral") is None else str(field["neutral"])
        default = str(field.get("default", ""))
        table.add_row(field["name"], Text(field["domain"]), f"{field.get('range', '')}{log}", neutral, Text(default))
    clashes = [Text(f"clash: {said}") for said in (_clashes(kind) if issubclass(kind, Regularizer) else [])]
    text = Text(inspect.cleandoc(kind.__doc__ or "").replace("``", "`"))
    return Group(Text(f"{name}   {what}\n", style="bold"), text, Text(""), table, *clashes)


def plan_table(described: dict[str, Any]) -> Group:
    """A plan, for the terminal."""
    table = Table(box=None, pad_edge=False)
    for header in ("recipe", "trials", "replicates", "models per run", "searched"):
        table.add_column(header)
    notes = []
    for arm in described["recipes"]:
        space = ", ".join(f"{name} {where}" for name, where in arm["space"].items())
        counts = [str(arm[key]) for key in ("trials", "replicates", "models_per_run")]
        table.add_row(Text(arm["name"]), *counts, Text(space))
        notes += [f"{arm['name']}: {clash}" for clash in arm["clashes"]]
    total = (
        f"{described['runs']} runs, {described['epochs']} epochs at most, about {described['seconds']:.0f} s "
        f"on this machine; ranked by validation {described['rank_by']}, tuner {described['tuner']}"
    )
    return Group(table, Text(f"\n{total}"), *(Text(f"note: {note}") for note in notes))


def failures_table(records: Sequence[Record]) -> Table:
    """Runs that left no score, for the terminal."""
    table = Table(box=None, pad_edge=False)
    for header in ("recipe", "stage", "number", "status", "epochs", "seconds", "reason"):
        table.add_column(header)
    for record in records:
        run = record.run
        cells = [run.recipe, run.stage, str(run.number), record.status, str(record.epochs), f"{record.fit_seconds:.1f}"]
        table.add_row(*(Text(cell) for cell in cells), Text(record.error or ""))
    return table
