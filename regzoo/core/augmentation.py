"""Augmentations: batch regularizers that can also be applied once, in copies of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.core.component import get_specs
from regzoo.core.errors import InputError
from regzoo.core.fields import setting
from regzoo.core.formatting import format_bytes
from regzoo.core.places import OnBatch
from regzoo.core.regularizer import Recipe, Regularizer
from regzoo.core.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Augmentation(OnBatch):
    """Changes inputs, not targets: those of each batch or, with ``copies``, those of copies made before training.

    With copies, an epoch has 1 + copies times the rows and the steps: each row as it is and each of its copies, with
    the row's target and weight. A copy is what the augmentation makes of all rows in one epoch; `batch` receives None
    in place of the targets.

    Attributes:
        copies: number of copies of each training row, at least 0; 0 changes the batches instead.
    """

    copies: int = setting(0, domain="[0, inf)")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__repr__ = Augmentation.__repr__  # type: ignore[method-assign]  # dataclass would list copies=0 first

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in get_specs(type(self)) if name != "copies" or self.copies]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in self.strengths():
            value = getattr(self, field)
            if self.copies and isinstance(value, Schedule):
                raise InputError(
                    f"{self.name}: copies are made once, before training, so {field} cannot follow a schedule, "
                    f"received {value}; give it a number, or leave copies out"
                )

    def reject_recipe(self, others: Any) -> str | None:
        """Reject another number of copies: each copy of a row is changed by all of them in turn."""
        for other in others:
            if isinstance(other, Augmentation) and self.copies and other.copies not in (0, self.copies):
                return (
                    f"{self.name} and {other.name} change the same copies of the rows, one after the other, so both "
                    f"need the same copies=, received {self.copies} and {other.copies}; copies=0 changes the "
                    "batches instead"
                )
        return None


def makes_copies(regularizer: Regularizer) -> bool:
    """Return True if ``regularizer`` acts on copies made before training, and not on batches."""
    return isinstance(regularizer, Augmentation) and regularizer.copies > 0


def count_copies(recipe: Recipe) -> int:
    """Return how many copies of each training row are made before training.

    >>> from regzoo.core import parse
    >>> count_copies(parse("random_flip(0.5, copies=3) + gaussian_noise(0.1)"))
    3
    """
    return max((each.copies for each in recipe if isinstance(each, Augmentation)), default=0)


def describe_copies(recipe: Recipe) -> str | None:
    """Return a sentence on how much longer the copies make an epoch, or None if there are none."""
    copies = count_copies(recipe)
    if not copies:
        return None
    names = " and ".join(each.name for each in recipe if makes_copies(each))
    return (
        f"{names} with copies={copies}: an epoch has {copies + 1} times the rows and steps of the baseline's, so in as "
        f"many epochs it trains {copies + 1} times as long"
    )


def require_memory(recipe: Recipe, size: int, available: int) -> None:
    """Reject a recipe whose copies do not fit into the memory.

    Args:
        recipe: the recipe.
        size: bytes of the inputs of all training rows.
        available: bytes that these rows and their copies may take.

    Raises:
        InputError: if they take more.
    """
    copies = count_copies(recipe)
    if copies and (1 + copies) * size > available:
        names = " and ".join(each.name for each in recipe if makes_copies(each))
        most = available // size - 1
        fewer = f"copies={most}, " if most > 0 else ""
        raise InputError(
            f"{names}: copies={copies} makes {format_bytes((1 + copies) * size)} of training rows out of "
            f"{format_bytes(size)}, and they may take {format_bytes(max(0, available))}: give it {fewer}fewer "
            "workers, or copies=0, which changes the batches instead"
        )
