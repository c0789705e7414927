"""Inputs of a batch as regularizers change them: one tensor, or several in a dict or list, of which some are floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from regzoo.core.cells import Cells, InputCells, list_cells
from regzoo.core.errors import InputError
from regzoo.core.lazy import keras

Tensor = Any


def map_cells(function: Callable[[Tensor, Cells | None], Tensor], x: Any, cells: InputCells) -> Any:
    """Return ``x`` with ``function`` of every tensor of floats in it; whole numbers and text stay as they are.

    Args:
        function: takes a tensor and the cells of its columns.
        x: the inputs.
        cells: which columns of them hold one value.

    Raises:
        InputError: if there are no floats in it.
    """
    list_floats(x)
    pairs = zip(keras.tree.flatten(x), list_cells(x, cells), strict=True)
    changed = [function(tensor, own) if _is_float(tensor) else tensor for tensor, own in pairs]
    return keras.tree.pack_sequence_as(x, changed)


def select_numbers(gradients: Sequence[Tensor], x: Any, cells: InputCells) -> list[Tensor]:
    """Return the gradients with respect to the floats in ``x``, 0 where ``cells`` hold something else than numbers.

    Args:
        gradients: one for each tensor of floats, in the order of `list_floats`.
        x: the inputs.
        cells: which columns of them hold one value.
    """
    pairs = zip(keras.tree.flatten(x), list_cells(x, cells), strict=True)
    floats = [(tensor, own) for tensor, own in pairs if _is_float(tensor)]
    return [
        gradient if own is None else keras.ops.where(own.find_numbers(tensor), gradient, 0.0)
        for gradient, (tensor, own) in zip(gradients, floats, strict=True)
    ]


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
