"""Cards and tables for the terminal: the zoo, a plan, failures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from regzoo.core import AfterTraining, InputError, Regularizer, backbones, did_you_mean, places, regularizers
from regzoo.core.component import Component, specs
from regzoo.core.docstring import read_docstring
from regzoo.core.fields import StrengthSpec
from regzoo.core.slots import KINDS
from regzoo.data.catalog import SOURCES
from regzoo.training.records import Record


def catalogue() -> dict[str, Any]:
    """Everything there is, as plain values."""
    return {
        "regularizers": [card(name) for name in regularizers()],
        "backbones": [card(name) for name in backbones()],
        "sources": dict(SOURCES),
    }


def card(name: str) -> dict[str, Any]:
    """One regularizer or backbone, as plain values; a text that its docstring does not have is empty.

    Raises:
        InputError: if there is none of this name.
    """
    kinds: dict[str, type[Component]] = {**regularizers(), **backbones()}
    if name not in kinds:
        raise InputError(f"the zoo has no {name!r}.{did_you_mean(name, kinds)}")
    kind = kinds[name]
    text = read_docstring(kind)
    described: dict[str, Any] = {
        "name": name,
        "kind": "regularizer" if issubclass(kind, Regularizer) else "backbone",
        "does": text.does,
        "fields": _fields(kind, text.args),
    }
    described |= _acts(kind, text.labelled) if issubclass(kind, Regularizer) else _offers(text.labelled)
    return described | {
        "reference": text.labelled.get("Reference", ""),
        "departure": text.labelled.get("Departure", ""),
        "errors": "; ".join(text.raises.values()),
        "example": _example(kind, text.example or name),
        "notes": list(text.notes),
    }


def _acts(kind: type[Regularizer], labelled: dict[str, str]) -> dict[str, Any]:
    """What a regularizer has and a backbone has not."""
    return {
        "formula": labelled.get("Formula", ""),
        "places": places(kind()),
        "needs": sorted(kind.requires),
        "cost": round(kind.cost, 3),
        "trainings": _trainings(kind),
        "cost_notes": labelled.get("Cost", ""),
        "clashes": _clashes(kind),
    }


def _offers(labelled: dict[str, str]) -> dict[str, Any]:
    """What a backbone has and a regularizer has not."""
    text = labelled.get("Slots", "")
    return {"slots": [kind for kind in KINDS if f"``{kind}``" in text], "slots_notes": text}


def _trainings(kind: type[Regularizer]) -> list[int]:
    """How many models it trains at the ends of its searched ranges, the fewest first."""
    ends = [{field: spec.range.values()[end] for field, spec in kind().strengths().items()} for end in (0, -1)]
    made = [kind(**values) for values in ends]
    return [one.n_models() if isinstance(one, AfterTraining) else 1 for one in made]


def _fields(kind: type[Component], means: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for field, spec in specs(kind).items():
        entry: dict[str, Any] = {"name": field, "means": means.get(field, "")}
        if isinstance(spec, StrengthSpec):
            entry |= {"domain": str(spec.domain), "range": str(spec.range), "log": spec.log}
            entry |= {"neutral": _plain(spec.neutral)}
        else:
            default = getattr(kind(), field)
            options = spec.options or (("true", "false") if spec.kind is bool else ())
            entry |= {"domain": str(spec.domain) if spec.domain else ", ".join(options)}
            entry |= {"default": list(default) if isinstance(default, tuple) else default}
        found.append(entry)
    return found


def _plain(number: float | None) -> float | str | None:
    """A number as JSON can say it: an infinite limit is the word ``inf``."""
    return number if number is None or math.isfinite(number) else str(number)


def _clashes(kind: type[Regularizer]) -> list[str]:
    """What it and the rest of the zoo say about standing side by side, about it alone, and about the backbones."""
    one = kind()
    others = [other() for name, other in regularizers().items() if name != one.name]
    said = [one.reject_recipe([]), *(one.warn_backbone(bone()) for bone in backbones().values())]
    said += [one.warn_recipe([other]) or other.warn_recipe([one]) for other in others]
    return list(dict.fromkeys(sentence for sentence in said if sentence))


def _example(kind: type[Component], printed: str) -> str:
    """What the docstring's example prints, in the company that it needs."""
    company = kind.requires_recipe if issubclass(kind, Regularizer) else ""
    return f"{company} + {printed}" if company and "+" not in printed else printed


def listing() -> Group:
    """The zoo in tables."""
    zoo = _table("name", "acts on", "strengths (searched range)", "cost", "does", title="Regularizers")
    for name in regularizers():
        one = card(name)
        strengths = ", ".join(f"{field['name']} {field['range']}" for field in one["fields"] if "range" in field)
        zoo.add_row(name, ", ".join(one["places"]), strengths, _factor(one), _plainly(one["does"]))
    bones = _table("name", "slots", "does", title="\nBackbones")
    for name in backbones():
        one = card(name)
        bones.add_row(name, ", ".join(one["slots"]), _plainly(one["does"]))
    data = _table("write", "for", title="\nData sources")
    for written, what in SOURCES.items():
        data.add_row(Text(written), Text(what))
    return Group(zoo, bones, data)


def _factor(one: dict[str, Any]) -> str:
    """What a training costs, in trainings of the baseline: ``2``, or ``2 to 10``."""
    low, high = (f"{one['cost'] * count:.3g}" for count in one["trainings"])
    return low if low == high else f"{low} to {high}"


def card_text(name: str) -> Group:
    """One card, for the terminal, part by part; then what else its docstring says."""
    one = card(name)
    parts = _table("", "")
    parts.show_header = False
    for label, content in _parts(one):
        parts.add_row(Text(label, style="bold"), content)
    notes = [Text(f"\n{_plainly(note)}") for note in one["notes"]]
    return Group(Text(f"{name}, a {one['kind']}", style="bold"), Text(f"{_plainly(one['does'])}\n"), parts, *notes)


def _parts(one: dict[str, Any]) -> list[tuple[str, Any]]:
    """The labelled parts of a card that it has, in order."""
    regularizes = one["kind"] == "regularizer"
    texts = [
        ("formula", one.get("formula", "")),
        ("strengths" if regularizes else "fields", _fields_table(one["fields"]) if one["fields"] else ""),
        ("acts on", ", ".join(one.get("places", []))),
        ("slots", one.get("slots_notes", "")),
        ("needs", " and ".join(one.get("needs", []))),
        ("cost", _cost(one) if regularizes else ""),
        ("clashes", "\n".join(one.get("clashes", [])) or ("none" if regularizes else "")),
        ("refuses", one["errors"]),
        ("reference", one["reference"]),
        ("departure", one["departure"]),
        ("example", one["example"]),
    ]
    return [(label, Text(_plainly(text)) if isinstance(text, str) else text) for label, text in texts if text]


def _cost(one: dict[str, Any]) -> str:
    factor = _factor(one)
    words = f": {one['cost_notes']}" if one["cost_notes"] else ""
    return f"{'as' if factor == '1' else f'{factor} times'} the baseline's training{words}"


def _fields_table(fields: Sequence[dict[str, Any]]) -> Table:
    rows = [_field_row(one) for one in fields]
    headers = [header for header in rows[0] if any(row[header] for row in rows)]
    table = _table(*headers)
    for row in rows:
        table.add_row(*(Text(row[header]) for header in headers))
    for column in table.columns:
        column.no_wrap = column.header in ("name", "searched range")
    return table


def _field_row(one: dict[str, Any]) -> dict[str, str]:
    return {
        "name": one["name"],
        "domain": one["domain"],
        "searched range": f"{one.get('range', '')}{' (log)' if one.get('log') else ''}",
        "neutral": "" if one.get("neutral") is None else str(one["neutral"]),
        "default": str(one.get("default", "")),
        "means": _plainly(one["means"]),
    }


def _table(*headers: str, title: str | None = None) -> Table:
    table = Table(title=title, box=None, pad_edge=False, title_justify="left")
    for header in headers:
        table.add_column(header)
    return table


def _plainly(text: str) -> str:
    """Without the marks that a docstring sets around code."""
    return text.replace("``", "`")


def plan_table(described: dict[str, Any]) -> Group:
    """A plan, for the terminal."""
    table = _table("recipe", "trials", "replicates", "models per run", "cost", "searched")
    notes = []
    for arm in described["recipes"]:
        space = ", ".join(f"{name} {where}" for name, where in arm["space"].items())
        counts = [f"{arm[key]:.3g}" for key in ("trials", "replicates", "models_per_run", "cost")]
        table.add_row(Text(arm["name"]), *counts, Text(space))
        notes += [f"{arm['name']}: {clash}" for clash in arm["clashes"]]
    folds = f"; replicates take turns at {described['folds']} folds" if described["folds"] > 1 else ""
    total = (
        f"{described['runs']} runs, {described['epochs']} epochs at most, about {described['seconds']:.0f} s "
        f"on this machine; ranked by validation {described['rank_by']}, tuner {described['tuner']}{folds}"
    )
    return Group(table, Text(f"\n{total}"), *(Text(f"note: {note}") for note in notes))


def split_in_words(facts: dict[str, Any]) -> str:
    """How the rows of prepared data were split.

    >>> split_in_words({"split": {"kind": "stratified", "marked": ["test"], "folds": 5}})
    'a stratified split (test as the data marks it) into 5 folds'
    """
    said = facts["split"]
    marked = f" ({' and '.join(said['marked'])} as the data marks it)" if said["marked"] else ""
    return f"a {said['kind']} split{marked}" + (f" into {said['folds']} folds" if said["folds"] > 1 else "")


def failures_table(records: Sequence[Record]) -> Table:
    """Runs that left no score, for the terminal."""
    table = _table("recipe", "stage", "number", "status", "epochs", "seconds", "reason")
    for record in records:
        run = record.run
        seconds = f"{record.fit_seconds:.1f}"
        cells = [run.recipe_text, run.stage, str(run.number), record.status, str(record.epochs), seconds]
        table.add_row(*(Text(cell) for cell in cells), Text(record.error or ""))
    return table
