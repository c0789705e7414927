"""Verification of an exported model: serve it in a process of its own and compare its answers with the live model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from regzoo.core.errors import ParityError
from regzoo.data.dataset import Array
from regzoo.export.formats import SAVED_MODEL, Format
from regzoo.export.isolated import describe_failure, run_isolated
from regzoo.system.temporary_folder import temporary_folder

TOLERANCE = 1e-5
"""Largest accepted difference of a probability, or of a prediction relative to the largest one.

Float32 rounding at another batch size or thread count stays far below it."""

BATCHES = (1, 7)
"""Batch sizes at which the exported model is served."""

_SCRIPT = """
import sys
import numpy as np

path = sys.argv[1]
{serve}
gc.enable()

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
    chunks = [
        serve({name: value[start : start + batch] for name, value in inputs.items()})
        for start in range(0, rows, batch)
    ]
    answers |= {f"{batch}/{name}": plain(np.concatenate([chunk[name] for chunk in chunks])) for name in chunks[0]}
assert "regzoo" not in sys.modules
np.savez(sys.argv[3], **answers)
"""


@dataclass(frozen=True)
class Parity:
    """Agreement between the exported model's answers and the live model's.

    Attributes:
        rows: number of raw test rows compared.
        batches: the batch sizes at which they were served.
        largest_difference: largest difference of a probability, or of a prediction relative to the largest one.
        labels_equal: whether all labels agree; True where there are none.
    """

    rows: int
    batches: tuple[int, ...]
    largest_difference: float
    labels_equal: bool

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values of ``parity`` in ``recipe.json``."""
        return asdict(self)


def verify_parity(
    folder: Path, inputs: Mapping[str, Array], expected: Mapping[str, Array], format: Format = SAVED_MODEL
) -> Parity:
    """Serve ``inputs`` from the model in ``folder`` at batch sizes 1 and 7, and compare the answers with ``expected``.

    Raises:
        ParityError: if the answers differ by more than float32 rounding, or the model cannot be loaded.
    """
    differences, labels_equal = [], True
    served = _serve(folder, inputs, format)
    for batch in BATCHES:
        answers = {name.split("/")[1]: value for name, value in served.items() if name.startswith(f"{batch}/")}
        if set(answers) != set(expected):
            raise ParityError(f"the exported model answers {sorted(answers)}, the live one {sorted(expected)}")
        for name, value in expected.items():
            if name in ("label", "class"):
                labels_equal = labels_equal and bool(np.array_equal(_to_bytes(answers[name]), _to_bytes(value)))
            else:
                size = 1.0 if name == "probabilities" else max(1.0, float(np.abs(value).max()))
                differences.append(float(np.abs(answers[name] - value).max()) / size)
    largest = float(np.max(differences))  # NaN if any difference is NaN
    parity = Parity(len(next(iter(inputs.values()))), BATCHES, largest, labels_equal)
    if not parity.largest_difference <= TOLERANCE or not labels_equal:
        raise ParityError(f"the exported model differs from the live one: {parity}; nothing was exported")
    return parity


def _serve(folder: Path, inputs: Mapping[str, Array], format: Format) -> dict[str, Array]:
    """Return the answers of the model in ``folder``, by batch size and name, such as ``7/label``."""
    with temporary_folder() as temporary:  # it holds rows of the data, so it must not outlive this process
        request, response = temporary / "inputs.npz", temporary / "answers.npz"
        plain = (value.astype(str) if value.dtype == object else value for value in inputs.values())
        values = {f"input_{index}": value for index, value in enumerate(plain)}
        np.savez(request, names=np.array(list(inputs)), **values)  # type: ignore[arg-type]  # the stub takes any keyword for allow_pickle
        script = _SCRIPT.replace("{serve}", format.serve)
        finished = run_isolated(script, [str(folder), str(request), str(response), *map(str, BATCHES)], temporary)
        if finished.returncode:
            raise ParityError(
                f"the exported model cannot be served: {describe_failure(finished)}; nothing was exported"
            )
        with np.load(response, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


def _to_bytes(labels: Array) -> Array:
    """Return text as bytes; other labels unchanged."""
    return labels.astype("S") if labels.dtype.kind in "OSU" else labels
