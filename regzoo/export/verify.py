"""Verify: load an exported model with its own runtime in a process of its own, and compare its answers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from regzoo.core.errors import ParityError
from regzoo.export.formats import SAVED_MODEL, Format

TOLERANCE = 1e-5
"""Largest accepted difference of a probability, or of a prediction relative to the largest: float32 rounding of
another batch size and another thread count stays far below it."""

BATCHES = (1, 7)

_SCRIPT = """
import sys
import numpy as np

path = sys.argv[1]
{serve}

def plain(values):
    if values.dtype != object:
        return values
    return np.array([text if isinstance(text, bytes) else text.encode() for text in values])


with np.load(sys.argv[2], allow_pickle=False) as file:
    names = [str(name) for name in file["names"]]
    inputs = {name: file[f"input_{index}"] for index, name in enumerate(names)}
rows = len(next(iter(inputs.values())))
answers = {}
for batch in map(int, sys.argv[4:]):
    parts = [
        serve({name: value[start : start + batch] for name, value in inputs.items()})
        for start in range(0, rows, batch)
    ]
    answers |= {f"{batch}/{name}": plain(np.concatenate([part[name] for part in parts])) for name in parts[0]}
assert "regzoo" not in sys.modules
np.savez(sys.argv[3], **answers)
"""


@dataclass(frozen=True)
class Parity:
    """The proof: how far the reloaded model's answers were from the live one's, at most.

    Attributes:
        rows: raw rows compared, from the test part.
        batches: the batch sizes at which they were served.
        largest_difference: of a probability, or of a prediction relative to the largest prediction.
        labels_equal: whether every label agreed (True where there are none).
    """

    rows: int
    batches: tuple[int, ...]
    largest_difference: float
    labels_equal: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def verify_parity(
    folder: Path, inputs: dict[str, np.ndarray], expected: dict[str, np.ndarray], form: Format = SAVED_MODEL
) -> Parity:
    """Serve ``inputs`` from the model in ``folder`` at batch 1 and 7, and compare with ``expected``.

    Raises:
        ParityError: if they differ by more than float32 rounding explains, or it cannot be loaded.
    """
    differences, agree = [], True
    served = _served(folder, inputs, form)
    for batch in BATCHES:
        answers = {name.split("/")[1]: value for name, value in served.items() if name.startswith(f"{batch}/")}
        if set(answers) != set(expected):
            raise ParityError(f"the exported model answers {sorted(answers)}, the live one {sorted(expected)}")
        for name, value in expected.items():
            if name in ("label", "class"):
                agree = agree and bool(np.array_equal(_text(answers[name]), _text(value)))
            else:
                size = 1.0 if name == "probabilities" else max(1.0, float(np.abs(value).max()))
                differences.append(float(np.abs(answers[name] - value).max()) / size)
    largest = float(np.max(differences))  # NaN if one is
    parity = Parity(len(next(iter(inputs.values()))), BATCHES, largest, agree)
    if not parity.largest_difference <= TOLERANCE or not agree:
        raise ParityError(f"the exported model differs from the live one: {parity}; nothing was exported")
    return parity


def _served(folder: Path, inputs: dict[str, np.ndarray], form: Format) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory(prefix="regzoo-verify-") as scratch:
        sent, answered = Path(scratch) / "inputs.npz", Path(scratch) / "answers.npz"
        plain = (value.astype(str) if value.dtype == object else value for value in inputs.values())
        values = {f"input_{index}": value for index, value in enumerate(plain)}
        np.savez(sent, names=np.array(list(inputs)), **values)  # type: ignore[arg-type]
        script = _SCRIPT.replace("{serve}", form.serve)
        command = [sys.executable, "-I", "-c", script, str(folder), str(sent), str(answered), *map(str, BATCHES)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise ParityError(f"the exported model cannot be served: {done.stderr.strip().splitlines()[-1:]}")
        with np.load(answered, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


def _text(labels: np.ndarray) -> np.ndarray:
    return labels.astype("S") if labels.dtype.kind in "OSU" else labels
