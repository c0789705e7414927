"""Verification: a model that answers differently is rejected, however it differs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from regzoo.core import EnvironmentFailure
from regzoo.core.errors import ParityError
from regzoo.data.dataset import Array
from regzoo.export import verify as verify_module
from regzoo.export.verify import TOLERANCE, Parity, verify_parity

INPUTS = {"a": np.arange(14, dtype=np.float32), "b": np.ones(14, np.float32)}
PROBABILITIES = np.tile(np.array([[0.25, 0.75]], np.float32), (14, 1))
CLASSES = {"probabilities": PROBABILITIES, "label": np.array([b"yes"] * 14, dtype=object)}
NUMBERS = {"prediction": np.linspace(-4000, 2000, 14, dtype=np.float32)[:, None]}

Answers = dict[str, Array]


def verify_answers(
    expected: Answers, at_1: Answers, at_7: Answers, monkeypatch: pytest.MonkeyPatch, folder: Path = Path("model")
) -> Parity:
    """Call `verify_parity` on a served model that gives these answers at batch sizes 1 and 7."""
    answers = {
        f"{batch}/{name}": value.astype("S") if name == "label" else value
        for batch, given in ((1, at_1), (7, at_7))
        for name, value in given.items()
    }
    monkeypatch.setattr(verify_module, "_serve", lambda *_: answers)
    return verify_parity(folder, INPUTS, expected)


def test_equal_answers_pass_with_their_largest_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    near = {**CLASSES, "probabilities": PROBABILITIES + np.float32(2**-20)}  # representable, about 1e-6
    parity = verify_answers(CLASSES, CLASSES, near, monkeypatch)
    assert parity == Parity(14, (1, 7), 2**-20, True)
    assert parity.to_json() == {"rows": 14, "batches": (1, 7), "largest_difference": 2**-20, "labels_equal": True}


def test_predictions_are_compared_relative_to_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    off = {"prediction": NUMBERS["prediction"] + np.float32(0.015625)}
    parity = verify_answers(NUMBERS, off, NUMBERS, monkeypatch)
    assert parity.largest_difference == pytest.approx(0.015625 / 4000, rel=1e-2)
    off = {"prediction": NUMBERS["prediction"] + np.float32(0.125)}
    with pytest.raises(ParityError):
        verify_answers(NUMBERS, off, NUMBERS, monkeypatch)


@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("wrong", ["probability", "label", "nan", "missing", "more"])
def test_a_difference_at_one_batch_size_is_enough(batch: int, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {name: value.copy() for name, value in CLASSES.items()}
    if wrong == "probability":
        answers["probabilities"][3, 0] += 2 * TOLERANCE
    elif wrong == "label":
        answers["label"][3] = b"no"
    elif wrong == "nan":
        answers["probabilities"][3, 0] = np.nan
    elif wrong == "missing":
        del answers["label"]
    else:
        answers["uncertainty"] = answers["probabilities"]
    with pytest.raises(ParityError):
        verify_answers(CLASSES, answers if batch == 1 else CLASSES, answers if batch == 7 else CLASSES, monkeypatch)


@pytest.mark.parametrize(
    ("live", "served"), [(np.array([1, 2]), np.array([1, 3])), (np.array([True, False]), np.array([True, True]))]
)
def test_labels_of_any_kind_are_compared(live: Array, served: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"probabilities": PROBABILITIES[:2]}
    monkeypatch.setattr(verify_module, "_serve", lambda *_: {f"{b}/label": live for b in (1, 7)} | at_both_sizes(one))
    assert verify_parity(Path("model"), INPUTS, {**one, "label": live}).labels_equal
    monkeypatch.setattr(verify_module, "_serve", lambda *_: {f"{b}/label": served for b in (1, 7)} | at_both_sizes(one))
    with pytest.raises(ParityError):
        verify_parity(Path("model"), INPUTS, {**one, "label": live})


def at_both_sizes(answers: Answers) -> Answers:
    return {f"{batch}/{name}": value for batch in (1, 7) for name, value in answers.items()}


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_rejected_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ParityError, match=r"cannot be served: .*SavedModel file does not exist"):
        verify_parity(tmp_path / "nowhere", INPUTS, CLASSES)
    assert issubclass(ParityError, EnvironmentFailure)
