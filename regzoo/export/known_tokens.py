"""Which tokens an exported model knows, as ``recipe.json`` says it."""

from __future__ import annotations

from regzoo.data.vocabulary import TokenRange
from regzoo.export.candidate import Candidate
from regzoo.export.signature import name_inputs
from regzoo.export.token_limits import MASKED, REFUSED, TokenLimit


def find_token_limits(candidate: Candidate) -> dict[str, TokenLimit]:
    """Return what is known of the tokens of each input, by its served name."""
    preprocessor, model = candidate.preprocessor, candidate.setup.model
    names = list(name_inputs(preprocessor))
    limits = {
        name: TokenLimit(rule.encoder.largest, MASKED)
        for name, rule in zip(names, preprocessor.inputs, strict=False)
        if isinstance(rule.encoder, TokenRange)
    }
    if model is None or any(rule.encoder is not None for rule in preprocessor.inputs) or not preprocessor.inputs:
        return limits
    from regzoo.training.attach.inputs import read_table_sizes
    from regzoo.training.own_model.pack import load

    for name, tables in zip(names, read_table_sizes(load(model)), strict=True):
        if tables:
            limits[name] = TokenLimit(min(tables.values()) - 1, REFUSED)
    return limits
