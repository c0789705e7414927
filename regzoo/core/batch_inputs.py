"""Inputs of a batch as regularizers change them: one tensor, or several in a dict or list, of which some are floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from regzoo.core.cells import Cells, InputCells, list_cells
from regzoo.core.errors import InputError
from regzoo.core.lazy import keras

Tensor = Any


def map_floats(function: Callable[[Tensor], Tensor], x: Any) -> Any:
    """Return ``x`` with ``function`` of every tensor of floats in it; whole numbers, booleans and text stay.

    Args:
        function: returns a tensor of the same shape and dtype.
        x: a tensor (batch, ...), or several of them in a dict or list.

    Raises:
        InputError: if there are no floats in it.
    """
    list_floats(x)
    return keras.tree.map_structure(lambda tensor: function(tensor) if _is_float(tensor) else tensor, x)


def map_cells(function: Callable[[Tensor, Cells | None], Tensor], x: Any, cells: InputCells) -> Any:
    """Return ``x`` with ``function`` of every tensor of floats in it and of the cells of its columns, as `map_floats`.

    Raises:
        InputError: if there are no floats in it.
    """
    list_floats(x)
    pairs = zip(keras.tree.flatten(x), list_cells(x, cells), strict=True)
    changed = [function(tensor, own) if _is_float(tensor) else tensor for tensor, own in pairs]
    return keras.tree.pack_sequence_as(x, changed)


def list_float_cells(x: Any, cells: InputCells) -> list[Cells | None]:
    """Return the cells of the tensors of floats in ``x``, in the order of `list_floats`."""
    return [own for tensor, own in zip(keras.tree.flatten(x), list_cells(x, cells), strict=True) if _is_float(tensor)]


def list_floats(x: Any) -> list[Tensor]:
    """Return the tensors of floats in ``x``, in its order.

    Raises:
        InputError: if there are none.
    """
    floats = [tensor for tensor in keras.tree.flatten(x) if _is_float(tensor)]
    if not floats:
        raise InputError("needs inputs of floating numbers, and the model takes none")
    return floats


def replace_floats(x: Any, floats: Sequence[Tensor]) -> Any:
    """Return ``x`` with other tensors of floats, in the order of `list_floats`."""
    others = iter(floats)
    return keras.tree.map_structure(lambda tensor: next(others) if _is_float(tensor) else tensor, x)


def require_floats(x: Any, why: str) -> None:
    """Raise InputError, which tells ``why``, unless every tensor in ``x`` is of floats."""
    if not all(_is_float(tensor) for tensor in keras.tree.flatten(x)):
        raise InputError(f"needs inputs of floating numbers alone: {why}")


def _is_float(tensor: Any) -> bool:
    return "float" in keras.backend.standardize_dtype(tensor.dtype)
