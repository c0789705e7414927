"""Copies of rows in the text of a recipe: written, read, refused; how much longer an epoch is."""

from __future__ import annotations

import pytest

from regzoo.core import Augmentation, InputError, parse, regularizers
from regzoo.core.augmentation import count_copies, describe_copies, makes_copies
from regzoo.core.schedules import Linear
from regzoo.regularizers import GaussianNoise, RandomFlip
from regzoo.search.nesting import nests_baseline

AUGMENTATIONS = {name: kind for name, kind in regularizers().items() if issubclass(kind, Augmentation)}


def test_they_are_those_that_leave_the_targets_alone() -> None:
    assert set(AUGMENTATIONS) == {
        "cutout",
        "gaussian_noise",
        "input_dropout",
        "random_erasing",
        "random_flip",
        "random_shift",
        "random_rotation",
        "random_zoom",
        "swap_noise",
        "trivial_augment",
    }


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_without_copies_nothing_is_written_and_with_them_the_text_reads_back(name: str) -> None:
    kind = AUGMENTATIONS[name]
    assert str(kind()) == name
    assert "copies" not in repr(kind())
    some = kind(copies=3)
    assert str(some) == f"{name}(copies=3)"
    assert parse(str(some)) == parse(name + "(copies=3)")
    assert list(parse(str(some))) == [some]
    assert repr(some).endswith(", copies=3)")
    assert makes_copies(some)
    assert not makes_copies(kind())


def test_copies_are_given_by_name_only() -> None:
    with pytest.raises(InputError, match="gaussian_noise takes at most 1 value, received 2"):
        parse("gaussian_noise(0.1, 2)")
    with pytest.raises(InputError, match="mixup has no field 'copies'"):
        parse("mixup(0.2, copies=2)")


@pytest.mark.parametrize("copies", [-1, 1.5, True])
def test_a_number_of_copies_is_a_whole_one(copies: float) -> None:
    with pytest.raises(InputError, match="gaussian_noise: copies "):
        GaussianNoise(0.1, copies=copies)


def test_a_strength_of_copies_follows_no_schedule() -> None:
    with pytest.raises(InputError, match=r"copies are made once, before training, so stddev cannot follow a schedule"):
        GaussianNoise(Linear(0.3, 0.0, epochs=5), copies=1)
    GaussianNoise(Linear(0.3, 0.0, epochs=5))


def test_all_change_the_same_copies() -> None:
    recipe = parse("random_flip(0.5, copies=3) + gaussian_noise(0.1) + cutout(0.1, copies=3)")
    assert count_copies(recipe) == 3
    assert count_copies(parse("random_flip(0.5) + mixup")) == 0
    with pytest.raises(InputError, match="both need the same copies=, received 3 and 2"):
        parse("random_flip(0.5, copies=3) + cutout(0.1, copies=2)")


def test_a_sentence_says_how_much_longer_an_epoch_is() -> None:
    assert describe_copies(parse("random_flip(0.5, copies=3) + l2")) == (
        "random_flip with copies=3: an epoch has 4 times the rows and steps of the baseline's, so in as many epochs it "
        "trains 4 times as long"
    )
    assert describe_copies(parse("random_flip(0.5)")) is None


def test_longer_epochs_are_not_the_baseline_at_any_strength() -> None:
    assert nests_baseline(parse("random_flip(0..0.5)"))
    assert not nests_baseline(parse("random_flip(0..0.5, copies=1)"))


def test_the_structure_tells_numbers_of_copies_apart() -> None:
    """Programs are shared by recipes of equal structure, and the number of rows belongs to it."""
    structures = {parse(f"random_flip(0.5, copies={copies})").structure() for copies in (0, 1, 2)}
    assert len(structures) == 3
    assert RandomFlip(0.5, copies=1) != RandomFlip(0.5)
