"""Compare the tokens of rows to predict with those that an exported model knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.escaping import escape_control_characters
from regzoo.data.dataset import Array

MASKED, REFUSED = "masked", "refused"
"""What becomes of a token above the largest: `transformer` masks it as padding, and a table has no row for it."""


class TokenLimit(NamedTuple):
    """Whole numbers from 0 that an input takes.

    Attributes:
        largest: the largest token that the model knows.
        above: what becomes of larger ones: `MASKED` or `REFUSED`.
    """

    largest: int
    above: str

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"largest": self.largest, "above": self.above}


def check_tokens(
    limits: Mapping[str, TokenLimit],
    chunks: Iterable[dict[str, Array]],
    source: str,
    notify: Callable[[str], None],
) -> Iterator[dict[str, Array]]:
    """Yield ``chunks`` unchanged; call ``notify`` once for each input with tokens that the model masks.

    Args:
        limits: of the inputs of tokens, by their names.
        chunks: the served inputs, a few rows at a time.
        source: name of the rows in messages.
        notify: is called with a sentence.

    Raises:
        InputError: while iterating, if a token is negative, or above a limit that the model does not mask.
    """
    start, named = 0, set()
    for chunk in chunks:
        rows = 0
        for name, values in chunk.items():
            rows = len(values)
            if name not in limits:
                continue
            largest, above = limits[name]
            _require(values >= 0, values, f"{source}: {name!r}", start, "tokens count from 0")
            if above == REFUSED:
                _require(
                    values <= largest, values, f"{source}: {name!r}", start, f"the model's table ends at {largest}"
                )
            elif name not in named and (values > largest).any():
                named.add(name)
                row, token = _find_first(values > largest, values)
                what = f"holds the token {token} in row {start + row + 1}, and training had none above {largest}"
                notify(escape_control_characters(f"{source}: {name!r} {what}: such tokens are masked, as padding is"))
        start += rows
        yield chunk


def _require(fits: Array, values: Array, where: str, start: int, reason: str) -> None:
    if not fits.all():
        row, token = _find_first(~fits, values)
        raise InputError(f"{where} holds the token {token} in row {start + row + 1}; {reason}")


def _find_first(where: Array, values: Array) -> tuple[int, Any]:
    """Return row and value of the first of ``values`` that ``where`` marks."""
    place = np.unravel_index(int(np.argmax(where)), where.shape)
    return int(place[0]), values[place]
