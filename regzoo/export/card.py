"""Card: what a model is, for those who serve it: ``recipe.json`` for machines, ``README.md`` for people."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import jinja2

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.data.columns import to_plain
from regzoo.data.prepare import Preparation
from regzoo.export.saved_model import input_specs, inputs
from regzoo.export.verify import Parity
from regzoo.language import AfterTraining, parse
from regzoo.training.record import Record, finite

PACKAGES = ("regzoo", "tensorflow", "keras", "numpy")

_KINDS = {
    "numeric": "float32, NaN where missing",
    "boolean": "string, true or false, empty where missing",
    "categorical": "string, empty where missing",
    "date": "string such as 2024-01-31 or 2024-01-31T17:05, empty where missing",
}

_CELLS = """\
with open("model/recipe.json", encoding="utf-8") as file:
    recipe = json.load(file)
columns = {}
for name, column in recipe["inputs"].items():
    cells, dtype = table[column], recipe["dtypes"][name]
    if dtype == "string":  # words, dates, true and false
        cells = cells.astype(object).where(cells.notna(), "").astype(str)
    columns[name] = tf.constant(cells.to_numpy(), dtype)
"""

TEMPLATE = """\
---
library_name: tf-keras
tags: [regzoo, tensorflow, saved-model, {{ task }}]
---
# {{ study.name }}: `{{ recipe.recipe }}`

A TensorFlow SavedModel with its preprocessing inside. It was chosen by comparing {{ compared }} regularization
recipes on {{ source }} data.

## Use

```python
{% if by_column %}import json

{% endif %}import tensorflow as tf

model = tf.saved_model.load("model")
{{ call }}
```

Inputs, raw as in the data: {{ inputs }}. Outputs: {{ outputs }}.

## Data

{{ study.data.rows }} rows of {{ study.data.inputs }} (digest `{{ study.data.digest }}`), of which
{{ study.data.train }} for training, {{ study.data.validation }} for validation and {{ study.data.test }} for testing.
{%- if repairs %}


What the training part taught about the columns, and the model does inside:

{% for sentence in repairs -%}
- {{ sentence }}
{%- endfor %}
{%- endif %}

## Metrics of this very model

| metric | train | validation | test |
|---|---|---|---|
{% for name, row in metrics.items() -%}
| {{ name }} | {{ row.train }} | {{ row.validation }} | {{ row.test }} |
{% endfor %}
It is the replicate with the best validation {{ study.rank_by }} of {{ replicates }}; its validation score is therefore
slightly optimistic, its test score is not. Mean over the replicates, on validation: {{ mean }}
(95 % interval {{ low }} to {{ high }}).

## Limits

Measured on one split of one data set. Inputs unlike the training data get confident answers all the same.

## Proof

Reloaded with plain TensorFlow in a process of its own, it answered {{ parity.rows }} held-out raw rows at batch sizes
{{ parity.batches | join(" and ") }} like the live model, with a largest difference of
{{ "%.2g" | format(parity.largest_difference) }}.
"""


def recipe_json(
    record: Record, seeds: list[int], row: Row, study: dict[str, Any], preparation: Preparation, parity: Parity
) -> dict[str, Any]:
    """What was exported, from which data and seeds, by which versions, and the proof that it survived."""
    return finite(
        {
            "recipe": record.run.recipe,
            "written": record.run.name,
            "learning_rate": record.run.learning_rate,
            "epochs": record.epochs,
            "seed": record.run.seed,
            "member_seeds": seeds,
            "members": len(seeds),
            "rank_by": study["rank_by"],
            "metrics": record.metrics,
            "mean": row.mean,
            "interval": [row.low, row.high],
            "gain": [row.gain, row.gain_low, row.gain_high],
            "data": study["data"],
            "labels": list(preparation.labels),
            "inputs": inputs(preparation),
            "dtypes": {name: spec.dtype.name for name, spec in input_specs(preparation).items()},
            "shapes": {name: list(spec.shape)[1:] for name, spec in input_specs(preparation).items()},
            "rules": [to_plain(rule) for rule in preparation.rules],
            "versions": {name: version(name) for name in PACKAGES},
            "parity": parity.to_dict(),
        }
    )


def readme(
    record: Record, row: Row, board: Leaderboard, study: dict[str, Any], preparation: Preparation, parity: Parity
) -> str:
    """The model card, in Markdown."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)  # plain text
    names = record.metrics["validation"]
    metrics = {name: {part: _number(values.get(name)) for part, values in record.metrics.items()} for name in names}
    return environment.from_string(TEMPLATE).render(
        study=study,
        source=_text(study["data"]["source"]),
        repairs=[_text(sentence) for sentence in study["data"].get("repairs", ())],
        recipe=record.run,
        task=preparation.task,
        compared=len(board.recipes),
        call=_call(preparation),
        by_column=bool(preparation.columns),
        inputs=_inputs(preparation),
        outputs=_outputs(preparation, record.run.recipe),
        metrics=metrics,
        replicates=row.replicates,
        mean=_number(row.mean),
        low=_number(row.low),
        high=_number(row.high),
        parity=parity,
    )


def _text(text: str) -> str:
    """Return ``text`` as Markdown that shows just these characters."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Return ``text`` as code, in more backquotes than it has in a row."""
    fence = "`" * max(1, *(len(found) + 1 for found in re.findall("`+", text)), 1)
    return f"{fence} {text} {fence}" if "`" in text else f"`{text}`"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _call(preparation: Preparation) -> str:
    serve = 'answers = model.signatures["serving_default"]'
    if preparation.rules:
        return f"{_CELLS}{serve}(**columns)"
    if preparation.columns:
        lines = ['with open("model/recipe.json", encoding="utf-8") as file:', '    inputs = json.load(file)["inputs"]']
        lines += ["columns = {name: tf.constant(table[column], tf.float32) for name, column in inputs.items()}"]
        return "\n".join([*lines, f"{serve}(**columns)"])
    return f"{serve}({preparation.kind}=tf.constant({preparation.kind}, tf.float32))"


def _inputs(preparation: Preparation) -> str:
    named = inputs(preparation)
    if preparation.columns:
        listed = [
            (f"`{name}`" if name == column else f"`{name}` (column {_code(column)})") for name, column in named.items()
        ]
        if not preparation.rules:
            return f"one float32 vector (batch,) for each column: {', '.join(listed)}"
        each = (f"{name}, {_KINDS[rule.kind]}" for name, rule in zip(listed, preparation.rules, strict=True))
        return f"one vector (batch,) for each column: {'; '.join(each)}"
    shape = ", ".join(map(str, preparation.input_shape))
    return f"`{preparation.kind}`, float32 (batch, {shape})"


def _outputs(preparation: Preparation, recipe: str) -> str:
    several = any(isinstance(part, AfterTraining) for part in parse(recipe))
    if preparation.task == "reconstruction":
        shape = ", ".join(map(str, preparation.input_shape))
        spread = (
            "; `uncertainty`, of the same shape, the standard deviation over its members or passes" if several else ""
        )
        distance = "`distance`, (batch,), the root mean square of how far it is off in standard deviations"
        return f"`reconstruction`, (batch, {shape}), in the units of the data, and {distance}{spread}"
    if preparation.task == "regression":
        spread = "; `uncertainty`, (batch, 1), the standard deviation over its members or passes" if several else ""
        return f"`prediction`, (batch, 1), in the units of the data{spread}"
    size = f"(batch, {len(preparation.labels)})" if preparation.task == "multilabel" else "(batch,)"
    spread = (
        f"; `uncertainty`, {size}, the entropy of the probabilities in nats, and of it `mutual_information`, "
        f"{size}, what its members or passes disagree about"
    )
    if preparation.task == "multilabel":
        named = ", ".join(_code(str(label)) for label in preparation.labels)
        each = f"`probabilities`, {size}, of each label, and `label`, {size}, whether it is above 1/2"
        return f"{each}, for the labels {named}, in this order{spread if several else ''}"
    classes = f"`probabilities`, (batch, {len(preparation.labels)}), and `label`, (batch,), as the data writes them"
    return classes + (spread if several else "")
