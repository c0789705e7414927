"""An exported model as ``recipe.json`` in its folder describes it, every value checked, its files compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.reading.reading import PLAIN, Reading
from regzoo.export.manifest import Manifest, copy_files, read_manifest_json
from regzoo.export.recipe_file import RECIPE_FILE, read_recipe_json
from regzoo.export.token_limits import MASKED, REFUSED, TokenLimit

ARRAY_KINDS = ("rows", "images", "sequences")
KINDS = ("numeric", "boolean", "categorical", "date")
NUMERIC_DTYPES = ("float32", "float64", "int64")
OWN_KINDS = {
    "float32": "float",
    "float64": "float",
    "int32": "integer",
    "int64": "integer",
    "bool": "true or false",
    "string": "text",
}
"""What an input of a user's own model takes, by the dtype that it is served as."""

PROGRAM = (
    "A model is a program that runs with your rights: use only models from sources you trust. "
    "Copy the folder again or export the model again, or run it as it is with --trust (in Python trust=True)"
)
"""Ends the message about a model whose files are not proven."""

NamedArrays = dict[str, Array]


@dataclass(frozen=True)
class ExportedModel:
    """An exported model, as ``recipe.json`` in its folder describes it.

    Attributes:
        folder: the folder with the SavedModel and ``recipe.json``.
        inputs: the served inputs by name, each with its column of the data.
        kinds: kind of each input: ``numeric``, ``boolean``, ``categorical``, ``date``; or ``rows``, ``images``,
            ``sequences``; or what an input of a user's own model takes, see `OWN_KINDS`.
        dtypes: the dtype of each input of a user's own model; else empty.
        shapes: shape of one row of each input; None is a length that is open.
        labels: the labels in the order of the probabilities.
        takes_missing: whether it takes missing cells.
        served: the dtype of each input that holds numbers of an array or of a numeric column.
        readings: how the text of each column is read, by the name of its input.
        manifest: its files.
        categories: the words that each column of categories has a feature for, by the name of its input.
        tokens: what is known of each input of tokens.
    """

    folder: Path
    inputs: dict[str, str]
    kinds: dict[str, str]
    dtypes: dict[str, str]
    shapes: dict[str, tuple[int | None, ...]]
    labels: tuple[str | int | float | bool, ...]
    takes_missing: bool
    served: dict[str, str]
    readings: dict[str, Reading]
    manifest: Manifest
    categories: dict[str, tuple[str, ...]]
    tokens: dict[str, TokenLimit]

    @property
    def array_kind(self) -> str | None:
        """``rows``, ``images`` or ``sequences`` if the model takes an array; None if it takes columns."""
        return next((kind for kind in self.kinds.values() if kind in ARRAY_KINDS), None)

    @property
    def array_shape(self) -> tuple[int, ...]:
        """Shape of one row of the array; of no use if it takes columns."""
        return tuple(size or 0 for size in next(iter(self.shapes.values())))

    def copy_proven_files(self, to: Path) -> None:
        """Copy the model's files to the folder ``to``.

        Raises:
            InputError: if ``recipe.json`` or one of the files is not the one that was exported, or has no digest.
        """
        if not self.manifest.model_digests:
            raise InputError(f"{self.folder}: {RECIPE_FILE} lists no digests of the model's files. {PROGRAM}")
        changed = None if self.manifest.unchanged else f"{RECIPE_FILE} is not the file that was exported"
        changed = changed or copy_files(self.manifest, to)
        if changed:
            raise InputError(f"{self.folder}: {changed}. {PROGRAM}")


def read_exported_model(folder: Path) -> ExportedModel:
    """Read ``recipe.json`` in ``folder``; the model's other files are not read.

    Raises:
        InputError: if there is no such file, a value in it is none that regzoo writes, or the format is not a
            SavedModel.
    """
    if not (folder / RECIPE_FILE).exists():
        hint = f"; did you mean {folder / 'model'}?" if (folder / "model" / RECIPE_FILE).is_file() else ""
        raise InputError(f"{folder}: holds no exported model ({RECIPE_FILE} is missing){hint}")
    values, text = read_recipe_json(folder)
    format = values.get("format", "saved_model")
    if not isinstance(format, str):
        raise InputError(f"{folder / RECIPE_FILE}: is no recipe that regzoo wrote: format takes a name")
    if format != "saved_model":
        shown = format[:40]
        raise InputError(f"{folder}: is a model in the format {shown}; predict takes a saved_model: export it as one")
    try:
        return _from_json(folder, values, read_manifest_json(folder, values, text))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise InputError(f"{folder / RECIPE_FILE}: is no recipe that regzoo wrote: {reason}") from None


def _from_json(folder: Path, values: Mapping[str, Any], manifest: Manifest) -> ExportedModel:
    """Return the model that ``values`` describe; KeyError, TypeError or ValueError if they are of another shape."""
    inputs, sizes, rules = values["inputs"], values["shapes"], values["rules"]
    labels = _accept_list("labels", values["labels"], str | int | float)
    if not isinstance(inputs, dict) or not inputs or not all(isinstance(column, str) for column in inputs.values()):
        raise TypeError("inputs takes the column of each input")
    if len(set(inputs.values())) < len(inputs):
        raise ValueError("inputs takes each column once")
    if not isinstance(sizes, dict) or list(sizes) != list(inputs):
        raise TypeError("shapes takes a shape for each input")
    shapes = {name: _accept_shape(shape) for name, shape in sizes.items()}
    open_length = any(None in shape for shape in shapes.values())
    own = values.get("own_inputs", False)
    dtypes = values["dtypes"] if own else {}
    if own:
        if not isinstance(dtypes, dict) or list(dtypes) != list(inputs) or rules != []:
            raise TypeError("dtypes takes a dtype for each input")
        kinds = [OWN_KINDS[dtype] for dtype in dtypes.values()]
        proper = True
    elif rules:
        kinds = [rule["kind"] for rule in _accept_list("rules", rules, dict)]
        proper = all(kind in KINDS for kind in kinds) and not any(shapes.values())
    else:
        kinds = [name if shape else "numeric" for name, shape in shapes.items()]
        proper = isinstance(rules, list) and (not any(shapes.values()) or (len(kinds) == 1 and kinds[0] in ARRAY_KINDS))
    if not proper or len(kinds) != len(inputs) or (open_length and not own):
        raise ValueError("rules takes a kind for each input, which is a column or the only array")
    named = dict(zip(inputs, kinds, strict=True))
    given = [_accept_reading(rule.get("reading", {})) for rule in rules] if rules else [PLAIN] * len(inputs)
    readings = dict(zip(inputs, given, strict=True))
    served = {} if own else _accept_dtypes(values.get("dtypes", {}), named, readings)
    words = {
        name: _accept_list("categories", rule["categories"], str)
        for name, rule in zip(inputs, rules, strict=False)
        if rule["kind"] == "categorical"
    }
    tokens = _accept_tokens(values.get("tokens", {}), dtypes)
    missable = bool(rules)
    return ExportedModel(
        folder, inputs, named, dtypes, shapes, labels, missable, served, readings, manifest, words, tokens
    )


def _accept_tokens(value: Any, dtypes: Mapping[str, str]) -> dict[str, TokenLimit]:
    """Return the largest token of inputs of whole numbers, and what becomes of larger ones."""
    if not isinstance(value, dict) or not all(
        name in dtypes and isinstance(limit, dict) for name, limit in value.items()
    ):
        raise TypeError("tokens takes a limit for inputs of whole numbers")
    found = {name: TokenLimit(limit["largest"], limit["above"]) for name, limit in value.items()}
    if not all(isinstance(largest, int) and above in (MASKED, REFUSED) for largest, above in found.values()):
        raise ValueError("tokens takes the largest token, and whether larger ones are masked or refused")
    return found


def _accept_dtypes(value: Any, kinds: Mapping[str, str], readings: Mapping[str, Reading]) -> dict[str, str]:
    """Return the dtype of each input of numbers; older exports take float32 and need not say so."""
    if not isinstance(value, dict):
        raise TypeError("dtypes takes a dtype for each input")
    served = {name: value.get(name, "float32") for name, kind in kinds.items() if kind in ("numeric", *ARRAY_KINDS)}
    text = [name for name, reading in readings.items() if name in served and not reading.is_plain]
    if any(dtype not in (("string",) if name in text else NUMERIC_DTYPES) for name, dtype in served.items()):
        raise ValueError(f"dtypes takes one of {', '.join(NUMERIC_DTYPES)} for numbers")
    return served


def _accept_reading(value: Any) -> Reading:
    if not isinstance(value, dict):
        raise TypeError(f"reading takes how cells are read, received {repr(value)[:40]}")
    return Reading.from_json(value)


def _accept_list(key: str, value: Any, kind: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise TypeError(f"{key} takes a list, received {repr(value)[:40]}")
    return tuple(value)


def _accept_shape(value: Any) -> tuple[int | None, ...]:
    sizes = _accept_list("shapes", value, int | None)
    if not all(size is None or 0 < size < 2**31 for size in sizes) or len(sizes) > 8:
        raise ValueError(f"shapes takes positive sizes, received {repr(value)[:40]}")
    return sizes
