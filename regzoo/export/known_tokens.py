"""Which tokens an exported model knows, as ``recipe.json`` says it."""

from __future__ import annotations

from typing import Any

from regzoo.data.vocabulary import TokenRange
from regzoo.export.candidate import Candidate
from regzoo.export.signature import name_inputs
from regzoo.export.token_limits import MASKED, REFUSED


def find_token_limits(candidate: Candidate) -> dict[str, dict[str, Any]]:
    """Return the ``largest`` token of each input, by its served name, and what becomes of those ``above``."""
    preprocessor, model = candidate.preprocessor, candidate.setup.model
    names = list(name_inputs(preprocessor))
    limits = {
        name: {"largest": rule.encoder.largest, "above": MASKED}
        for name, rule in zip(names, preprocessor.inputs, strict=False)
        if isinstance(rule.encoder, TokenRange)
    }
    if model is None or any(rule.encoder is not None for rule in preprocessor.inputs) or not preprocessor.inputs:
        return limits
    from regzoo.training.attach.inputs import read_table_sizes
    from regzoo.training.own_model.pack import load

    for name, tables in zip(names, read_table_sizes(load(model)), strict=True):
        if tables:
            limits[name] = {"largest": min(tables.values()) - 1, "above": REFUSED}
    return limits
