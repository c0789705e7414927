"""Match text with what a model takes: tokens for a named backbone or an Embedding, else text as it is."""

from __future__ import annotations

from dataclasses import replace

from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.input_form import InputForm
from regzoo.data.inputs import InputSpec, NamedInputs


def match_tokens(dataset: Dataset, x: NamedInputs, form: InputForm, specs: tuple[InputSpec, ...] | None) -> Dataset:
    """Return ``dataset`` as a model with the inputs ``specs`` takes its text: as tokens, or as it is.

    Args:
        dataset: the data.
        x: its one input.
        form: of the data.
        specs: the inputs of a user's own model, empty if they are not known yet; None for a named backbone.

    Raises:
        InputError: if the model takes neither text nor tokens.
    """
    if not specs:
        return dataset
    ((name, values),) = x.arrays.items()
    (spec, *others) = specs
    if not others and spec.kind == "text":
        if form.max_tokens or form.sequence_length:
            raise InputError(
                f"{dataset.name}: the model's input {spec} takes text, so it has a vocabulary of its own; leave out "
                "data.max_tokens and data.sequence_length"
            )
        return replace(dataset, x=NamedInputs({spec.name: values}), form=None)
    if others or spec.kind != "integer" or len(spec.shape) != 1:
        raise InputError(
            f"{dataset.name}: {name!r} is text, which becomes whole numbers of shape (words,), and the model takes "
            f"{', '.join(map(str, specs))}; begin it with keras.Input((None,), dtype='int32') and an Embedding"
        )
    return dataset
