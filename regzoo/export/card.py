"""Card: what a model is, for those who serve it: ``recipe.json`` for machines, ``README.md`` for people."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import jinja2

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.data.columns import to_plain
from regzoo.data.prepare import Preparation
from regzoo.export.chosen import Refit
from regzoo.export.formats import Format
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
columns = {}
for name, column in recipe["inputs"].items():
    cells, dtype = table[column], recipe["dtypes"][name]
    if dtype == "string":  # words, dates, true and false
        cells = cells.astype(object).where(cells.notna(), "").astype(str)
    columns[name] = tf.constant(cells.to_numpy(), dtype)
"""

_RECIPE = """\
with open("model/recipe.json", encoding="utf-8") as file:
    recipe = json.load(file)
"""

_LIBRARIES = {"saved_model": "tf-keras", "onnx": "onnx", "litert": "tflite"}
_TAGS = {"saved_model": "tensorflow, saved-model", "onnx": "onnx", "litert": "litert, tflite"}


@dataclass(frozen=True)
class Proven:
    """In which format a model was written, and the proof that it survived."""

    form: Format
    parity: Parity

    @property
    def runtime(self) -> dict[str, str]:
        """What it was proven with, and its version."""
        return {self.form.runtime: version(self.form.runtime)}


TEMPLATE = """\
---
library_name: {{ library }}
tags: [regzoo, {{ tags }}, {{ task }}]
---
# {{ study.name }}: `{{ recipe.recipe }}`

{{ title }} with its preprocessing inside. It was chosen by comparing {{ compared }} regularization
recipes on {{ source }} data.{% if refit %} It was then trained anew on train + validation.{% endif %}

## Use

```python
{{ call }}
```

Inputs, raw as in the data: {{ inputs }}. Outputs: {{ outputs }}.
{%- if passes %}

Its passes are {{ passes }}; the signature `with_samples` takes another number of them beside the inputs:
`model.signatures["with_samples"](..., samples=tf.constant(200))`.
{%- endif %}
{%- if form.plain %}

TensorFlow Serving answers over HTTP; the model needs the folder of a version number above it:

```bash
docker run -p 8501:8501 -v "$PWD/model:/models/model/1" tensorflow/serving
curl -d '{"inputs": {{ body }}}' http://localhost:8501/v1/models/model:predict
```
{%- endif %}

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
{% if refit -%}
It was trained on train + validation ({{ refit.rows }} rows), its validation score is therefore unknown; its test score
is that of rows it has not seen. It was trained for {{ refit.epochs }} epochs, the median of what its replicates
{{ "kept" if refit.stopped else "trained" }} ({{ refit.learned_from | join(", ") }})
{%- if refit.stopped %}; early stopping itself was left out, as there was no validation part to watch{% endif %}.
{%- if refit.cleaned %} The wrong labels that the comparison put into its training rows were left out.{% endif %}
Mean over the {{ replicates }} replicates of the comparison,{% else -%}
It is the replicate with the best validation {{ study.rank_by }} of {{ replicates }}; its validation score is therefore
slightly optimistic, its test score is not. Mean over the replicates,{% endif %} on validation: {{ mean }}
(95 % interval {{ low }} to {{ high }}).
{%- if folds > 1 %} Each replicate was trained and validated on other rows; this one is number {{ recipe.number + 1 }}.
{%- endif %}

## Limits

Measured on {{ "one split" if folds == 1 else "%d folds" | format(folds) }} of one data set. Inputs unlike the training
data get confident answers all the same.

## Proof

Reloaded with {{ runtime }} in a process of its own, it answered {{ parity.rows }} held-out raw rows at batch sizes
{{ parity.batches | join(" and ") }} like the live model, with a largest difference of
{{ "%.2g" | format(parity.largest_difference) }}.
"""


def recipe_json(
    record: Record,
    seeds: list[int],
    row: Row,
    study: dict[str, Any],
    preparation: Preparation,
    proven: Proven,
    refit: Refit | None = None,
) -> dict[str, Any]:
    """What was exported, from which data and seeds, by which versions, and the proof that it survived."""
    return finite(
        {
            "format": proven.form.name,
            "file": proven.form.file,
            "runtime": proven.runtime,
            "recipe": record.run.recipe,
            "written": record.run.name,
            "learning_rate": record.run.learning_rate,
            "epochs": record.epochs,
            "seed": record.run.seed,
            "member_seeds": seeds,
            "members": len(seeds),
            "rank_by": study["rank_by"],
            "metrics": record.metrics,
            "refit": None if refit is None else refit.to_dict(),
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
            "parity": proven.parity.to_dict(),
        }
    )


def readme(
    record: Record,
    row: Row,
    board: Leaderboard,
    study: dict[str, Any],
    preparation: Preparation,
    proven: Proven,
    refit: Refit | None = None,
) -> str:
    """The model card, in Markdown."""
    parts, form = ("train", "validation", "test"), proven.form
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)  # plain text
    metrics = {
        name: {part: _number(record.metrics.get(part, {}).get(name)) for part in parts}
        for name in record.metrics["train"]
    }
    return environment.from_string(TEMPLATE).render(
        study=study,
        folds=study.get("folds", 1),
        source=_text(study["data"]["source"]),
        repairs=[_text(sentence) for sentence in study["data"].get("repairs", ())],
        recipe=record.run,
        task=preparation.task,
        compared=len(board.recipes),
        form=form,
        title=f"{'An' if form.title[0] in 'AEIO' else 'A'} {form.title}",
        library=_LIBRARIES[form.name],
        tags=_TAGS[form.name],
        runtime=" ".join(*proven.runtime.items()) if not form.plain else "plain TensorFlow",
        call=_call(preparation, form),
        body=_body(preparation),
        passes=next((str(part) for part in parse(record.run.recipe) if part.name == "mc_dropout"), None),
        inputs=_inputs(preparation),
        outputs=_outputs(preparation, record.run.recipe, form),
        refit=refit,
        metrics=metrics,
        replicates=row.replicates,
        mean=_number(row.mean),
        low=_number(row.low),
        high=_number(row.high),
        parity=proven.parity,
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


def _call(preparation: Preparation, form: Format) -> str:
    """Python that answers the user's ``table``, ``rows`` or ``images``."""
    return _call_tensorflow(preparation) if form.plain else _call_runtime(preparation, form)


def _call_tensorflow(preparation: Preparation) -> str:
    head = 'import tensorflow as tf\n\nmodel = tf.saved_model.load("model")\n'
    serve = 'answers = model.signatures["serving_default"]'
    if preparation.rules:
        return f"import json\n\n{head}{_RECIPE}{_CELLS}{serve}(**columns)"
    if preparation.columns:
        columns = 'columns = {n: tf.constant(table[column], tf.float32) for n, column in recipe["inputs"].items()}'
        return f"import json\n\n{head}{_RECIPE}{columns}\n{serve}(**columns)"
    return f"{head}{serve}({preparation.kind}=tf.constant({preparation.kind}, tf.float32))"


def _call_runtime(preparation: Preparation, form: Format) -> str:
    head = f"import json\n\nimport numpy as np\n{form.serve}\n\n{_RECIPE}".replace("{path}", "model").replace(
        'f"model', '"model'
    )
    if preparation.columns:
        columns = '{name: np.asarray(table[column], np.float32) for name, column in recipe["inputs"].items()}'
    else:
        columns = f'{{"{preparation.kind}": np.asarray({preparation.kind}, np.float32)}}'
    labels = '\nlabels = np.array(recipe["data"]["labels"])[answers["class"]]' if preparation.classes else ""
    return f"{head}answers = serve({columns}){labels if form.numbered else ''}"


def _body(preparation: Preparation) -> str:
    """What a request holds, in JSON, cut short."""
    if not preparation.columns:
        return json.dumps({preparation.kind: ["..."]}).replace('"..."', "...")
    specs = list(input_specs(preparation).items())[:2]
    shown = ", ".join(f'"{name}": {["..."] if spec.dtype.name == "string" else [1.5]}' for name, spec in specs)
    return f"{{{shown}{', ...' if len(preparation.columns) > 2 else ''}}}".replace("'", '"')


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


def _outputs(preparation: Preparation, recipe: str, form: Format) -> str:
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
    label = "`label`, (batch,), as the data writes them"
    if form.numbered:
        label = "`class`, (batch,), the number of the label among `labels` under `data` in `recipe.json`, from 0"
    classes = f"`probabilities`, (batch, {len(preparation.labels)}), and {label}"
    return classes + (spread if several else "")
