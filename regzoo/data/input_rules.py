"""Rules for the inputs of a user's own model: floats may be standardized, all else is handed over as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.formatting import format_list
from regzoo.data.centering import NEUTRAL, Centering
from regzoo.data.input_form import InputForm
from regzoo.data.inputs import Array, InputSpec, ModelInputs, NamedInputs
from regzoo.data.matching import fit_input
from regzoo.data.scaling import standardize
from regzoo.data.vocabulary import Encoder, Vocabulary, encoder_from_json


@dataclass(frozen=True)
class InputRule:
    """Preparation of one input.

    Attributes:
        spec: the input.
        mean: subtracted from each feature (the last axis, or all values if its length is open); empty if the input is
            not standardized.
        scale: divisor of each feature, in the same form.
        centering: how numbers become float32, before mean and scale.
        encoder: turns texts, or raw tokens, into the whole numbers that the model looks up; None for other inputs.
    """

    spec: InputSpec
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    centering: Centering = NEUTRAL
    encoder: Encoder | None = None

    @property
    def raw(self) -> InputSpec:
        """The input as the data holds it: text where a vocabulary turns it into tokens, else as the model takes it."""
        return InputSpec(self.spec.name, (), "string") if isinstance(self.encoder, Vocabulary) else self.spec

    def transform(self, values: Array) -> Array:
        """Return raw ``values`` (n, ...) as the model takes them; text as bytes.

        Raises:
            InputError: if they do not fit the input.
        """
        values = fit_input(values, self.raw, f"x[{self.spec.name!r}]")
        if self.encoder is not None:
            return self.encoder.encode(values).astype(self.spec.dtype)
        if self.spec.kind == "text":
            return np.char.encode(values.astype(str), "utf-8")
        if self.spec.kind != "float":
            return values
        values = self.centering.transform(values)
        return standardize(values, self.mean, self.scale) if self.mean else values

    def read_json(self, values: Sequence[Any]) -> Array:
        """Return raw values, of one row each, that were written to JSON with ``tolist``."""
        floats = None if self.centering.dtype == "int64" else self.centering.dtype
        dtypes = {"text": object, "float": floats, "boolean": np.bool_}
        return np.array(list(values), dtype=dtypes.get(self.raw.kind, self.raw.dtype))

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads."""
        rule = {"spec": self.spec.to_json(), "mean": list(self.mean), "scale": list(self.scale)}
        encoder = {} if self.encoder is None else {"encoder": self.encoder.to_json()}
        centering = {} if self.centering.is_neutral else {"centering": self.centering.to_json()}
        return rule | centering | encoder

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> InputRule:
        """Read what `to_json` returned."""
        centering = Centering.from_json(values["centering"]) if "centering" in values else NEUTRAL
        spec, encoder = InputSpec.from_json(values["spec"]), encoder_from_json(values.get("encoder"))
        return InputRule(spec, tuple(values["mean"]), tuple(values["scale"]), centering, encoder)


def transform_inputs(x: NamedInputs, rules: Sequence[InputRule]) -> ModelInputs:
    """Return the inputs as a model takes them: by name, or one array if it has a single input."""
    prepared = {rule.spec.name: rule.transform(x.arrays[rule.spec.name]) for rule in rules}
    return prepared if len(prepared) > 1 else next(iter(prepared.values()))


def describe_unscaled(rules: Sequence[InputRule]) -> tuple[str, ...]:
    """Return a sentence about the inputs that standardization leaves as they are; none if there are no such inputs."""
    listed = [repr(rule.spec.name) for rule in rules if not rule.mean]
    if not listed:
        return ()
    takes, is_ = ("take", "are") if len(listed) > 1 else ("takes", "is")
    what = f"{takes} whole numbers, booleans or text and {is_} handed over as {'they are' if is_ == 'are' else 'it is'}"
    return (f"{format_list(listed)} {what}; only floats are standardized",)


def require_reconstructable(specs: Sequence[InputSpec], name: str, form: InputForm | None = None) -> None:
    """Raise InputError unless the inputs can be the targets as well: one array of floats.

    Args:
        specs: the inputs of a user's own model.
        name: name of the data.
        form: of text and tokens, which cannot; None for other inputs.
    """
    if form is not None:
        raise InputError(f"{name}: task: reconstruction takes numbers, and the data holds {form.kind}; give targets y")
    if len(specs) > 1 or any(spec.kind != "float" or None in spec.shape for spec in specs):
        raise InputError(
            f"{name}: task: reconstruction takes a model with one input of floats, of known lengths, received "
            f"{format_list([str(spec) for spec in specs])}; give targets y"
        )
