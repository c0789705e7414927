"""Cards of regularizers and backbones as plain values for JSON, read from their docstrings."""

from __future__ import annotations

import math
from typing import Any

from regzoo.core import AfterTraining, InputError, Regularizer, backbones, did_you_mean, places, regularizers
from regzoo.core.component import Component, get_specs
from regzoo.core.docstring import read_docstring
from regzoo.core.fields import SelectionSpec, StrengthSpec
from regzoo.core.places import AtLayers
from regzoo.core.ranges import PerRun
from regzoo.core.selection import WORDS
from regzoo.core.slots import SLOT_KINDS
from regzoo.data.catalog import SOURCES


def describe_zoo() -> dict[str, Any]:
    """Return the cards of all regularizers and backbones, and the data sources."""
    return {
        "regularizers": [describe_component(name) for name in regularizers()],
        "backbones": [describe_component(name) for name in backbones()],
        "sources": dict(SOURCES),
    }


def describe_component(name: str) -> dict[str, Any]:
    """Return the card of one regularizer or backbone; a text that its docstring does not have is empty.

    Raises:
        InputError: if there is none of this name.
    """
    kinds: dict[str, type[Component]] = {**regularizers(), **backbones()}
    if name not in kinds:
        raise InputError(f"the zoo has no {name!r}.{did_you_mean(name, kinds)}")
    kind = kinds[name]
    docstring = read_docstring(kind)
    sections = docstring.sections
    card: dict[str, Any] = {
        "name": name,
        "kind": "regularizer" if issubclass(kind, Regularizer) else "backbone",
        "does": docstring.summary,
        "fields": _describe_fields(kind, docstring.args),
    }
    card |= _describe_action(kind, sections) if issubclass(kind, Regularizer) else _describe_slots(sections)
    return card | {
        "reference": sections.get("Reference", ""),
        "departure": sections.get("Departure", ""),
        "errors": "; ".join(docstring.raises.values()),
        "example": _write_example(kind, docstring.example or name),
        "notes": list(docstring.notes),
    }


def _describe_action(kind: type[Regularizer], sections: dict[str, str]) -> dict[str, Any]:
    """Return the entries of the card that only a regularizer has."""
    return {
        "formula": sections.get("Formula", ""),
        "places": places(kind()),
        "on": list(WORDS) if issubclass(kind, AtLayers) else [],
        "needs": sorted(kind.requires),
        "cost": round(kind.cost, 3),
        "trainings": _count_models(kind),
        "cost_notes": sections.get("Cost", ""),
        "clashes": _list_clashes(kind),
    }


def _describe_slots(sections: dict[str, str]) -> dict[str, Any]:
    """Return the entries of the card that only a backbone has."""
    text = sections.get("Slots", "")
    return {"slots": [kind for kind in SLOT_KINDS if f"``{kind}``" in text], "slots_notes": text}


def _count_models(kind: type[Regularizer]) -> list[int]:
    """Return how many models are trained at the two ends of the searched ranges, the smaller number first."""
    searched = {field: spec for field, spec in kind().strengths().items() if spec.default is None}
    ends = [{field: spec.range.values()[end] for field, spec in searched.items()} for end in (0, -1)]
    instances = [kind(**values) for values in ends]
    return [each.n_models() if isinstance(each, AfterTraining) else 1 for each in instances]


def _describe_fields(kind: type[Component], meanings: dict[str, str]) -> list[dict[str, Any]]:
    fields = []
    for name, spec in get_specs(kind).items():
        if isinstance(spec, SelectionSpec):
            continue  # the same for all that act at layers
        field: dict[str, Any] = {"name": name, "means": meanings.get(name, "")}
        if isinstance(spec, StrengthSpec):
            field |= {"domain": str(spec.domain), "range": str(spec.range), "log": spec.log}
            field |= {"neutral": _to_json(spec.neutral)}
            if spec.default is not None:
                field["default"] = spec.default
            field |= {key: True for key, applies in _describe_scale(spec).items() if applies}
        else:
            default = getattr(kind(), name)
            options = spec.options or (("true", "false") if spec.kind is bool else ())
            field |= {"domain": str(spec.domain) if spec.domain else ", ".join(options)}
            field |= {"default": list(default) if isinstance(default, tuple) else default}
        fields.append(field)
    return fields


def _describe_scale(spec: StrengthSpec) -> dict[str, bool]:
    """Return what the range is of, where it is not the strength itself."""
    return {"complement": spec.complement, "per_run": isinstance(spec.range, PerRun)}


def _to_json(number: float | None) -> float | str | None:
    """Return a number that strict JSON can hold: an infinite limit becomes the word ``inf``."""
    return number if number is None or math.isfinite(number) else str(number)


def _list_clashes(kind: type[Regularizer]) -> list[str]:
    """Return the warnings about the regularizer alone, with each backbone and with each other regularizer."""
    one = kind()
    others = [other() for name, other in regularizers().items() if name != one.name]
    alone = [one.reject_recipe([]), one.explain_missing_noise([])]
    warnings = [*alone, *(one.warn_backbone(backbone()) for backbone in backbones().values())]
    warnings += [one.warn_recipe([other]) or other.warn_recipe([one]) for other in others]
    warnings += [one.warn_pair(other) or other.warn_pair(one) for other in others]
    return list(dict.fromkeys(sentence for sentence in warnings if sentence))


def _write_example(kind: type[Component], printed: str) -> str:
    """Return what the docstring's example prints, with the regularizers that it needs."""
    required = kind.requires_recipe if issubclass(kind, Regularizer) else ""
    return f"{required} + {printed}" if required and "+" not in printed else printed
