"""Inputs of a user's own model: what it takes (`InputSpec`), and raw values for it by name (`NamedInputs`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from regzoo.data.numbers import pack_numbers

Array = np.ndarray[Any, np.dtype[Any]]

ModelInputs = Any
"""What a model trains on: one array (n, ...), or a dict with an array for each of several inputs, by name."""

InputKind = Literal["float", "integer", "boolean", "text"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class InputSpec:
    """One input of a model.

    Attributes:
        name: its name; data that is given by name is matched with it.
        shape: shape of one example; None is a length that the model leaves open.
        dtype: as Keras names it, such as ``float32``, ``int32``, ``bool`` or ``string``.

    >>> str(InputSpec("tokens", (None,), "int32"))
    "'tokens' (int32, shape (any,))"
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    @property
    def kind(self) -> InputKind:
        """Kind of its values: ``float``, ``integer``, ``boolean`` or ``text``."""
        if self.dtype == "string":
            return "text"
        if self.dtype == "bool":
            return "boolean"
        return "integer" if "int" in self.dtype else "float"

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads."""
        return asdict(self) | {"shape": list(self.shape)}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> InputSpec:
        """Read what `to_json` returned."""
        return InputSpec(values["name"], tuple(values["shape"]), values["dtype"])

    def __str__(self) -> str:
        return f"{self.name!r} ({self.dtype}, shape {format_shape(self.shape)})"


@dataclass(frozen=True, eq=False)
class NamedInputs:
    """Raw inputs by name, with one row of each array for each example; read-only.

    Attributes:
        arrays: arrays (n, ...): floats, integers, booleans, or text as objects.
    """

    arrays: Mapping[str, Array]

    def __post_init__(self) -> None:
        for values in self.arrays.values():
            values.setflags(write=False)

    def __len__(self) -> int:
        return count_rows(dict(self.arrays))

    def __getitem__(self, rows: Any) -> NamedInputs:
        """Return some rows, given as row numbers or as a slice."""
        return NamedInputs({name: values[rows] for name, values in self.arrays.items()})

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of inputs."""
        return len(self), len(self.arrays)

    def cell_codes(self) -> Array:
        """Return numbers (n, inputs), equal for equal values of an input."""
        return np.array([_number_rows(values) for values in self.arrays.values()], np.int64).T

    @property
    def content(self) -> bytes:
        """The names, shapes and values, as bytes that are equal for equal content."""
        parts = []
        for name, values in self.arrays.items():
            text = repr(values.tolist()).encode() if values.dtype.kind == "O" else None
            if values.dtype.kind == "f":
                text = b"".join(pack_numbers(values))
            head = repr((name, values.dtype.kind, values.shape)).encode()
            parts.append(head + (np.ascontiguousarray(values, "<i8").tobytes() if text is None else text))
        return b"\x1e".join(parts)

    def tolist(self) -> list[list[Any]]:
        """Return the rows as plain values, for JSON: in each row one value, or nested list, for each input."""
        return [list(row) for row in zip(*(values.tolist() for values in self.arrays.values()), strict=True)]


def _number_rows(values: Array) -> list[int]:
    """Return a number for each row, equal for equal rows."""
    flat = values.reshape(len(values), -1)
    if flat.dtype.kind == "O":
        flat = np.unique(flat, return_inverse=True)[1].reshape(flat.shape)
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in np.ascontiguousarray(flat))
    return [seen.setdefault(digest, len(seen)) for digest in digests]


def map_inputs(function: Callable[[Any], Any], x: Any) -> Any:
    """Return ``function`` of one array, or of each array of several by name.

    >>> map_inputs(len, {"a": [1, 2], "b": [3, 4]}), map_inputs(len, [1, 2])
    ({'a': 2, 'b': 2}, 2)
    """
    return {name: function(values) for name, values in x.items()} if isinstance(x, dict) else function(x)


def list_arrays(x: ModelInputs) -> list[Any]:
    """Return the one array, or those of all inputs."""
    return list(x.values()) if isinstance(x, dict) else [x]


def count_rows(x: ModelInputs) -> int:
    """Return the number of examples in ``x``."""
    return len(list_arrays(x)[0])


def format_shape(shape: tuple[int | None, ...]) -> str:
    """Return the shape of one example in words.

    >>> format_shape((None, 3)), format_shape((4,)), format_shape(())
    ('(any, 3)', '(4,)', '()')
    """
    sizes = ["any" if size is None else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
