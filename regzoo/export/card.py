"""Card: what a model is, for those who serve it: ``recipe.json`` for machines, ``README.md`` for people."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.json_values import replace_nonfinite
from regzoo.data.columns import rule_to_json
from regzoo.data.preprocessor import Preprocessor
from regzoo.export import snippets as usage
from regzoo.export.candidate import RefitInfo
from regzoo.export.formats import Format
from regzoo.export.saved_model import input_specs, inputs
from regzoo.export.verify import Parity
from regzoo.stats.paired import PairSettings
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup

PACKAGES = ("regzoo", "tensorflow", "keras", "numpy")

_LIBRARIES = {"saved_model": "tensorflow", "onnx": "onnx", "litert": "tflite"}
_TAGS = {"saved_model": "saved-model", "onnx": "onnx", "litert": "litert, tflite"}
_PIPELINES = {
    ("rows", "classification"): "tabular-classification",
    ("rows", "multilabel"): "tabular-classification",
    ("rows", "regression"): "tabular-regression",
    ("images", "classification"): "image-classification",
    ("images", "multilabel"): "image-classification",
}
"""What model hubs call a task; they have no word for the others."""


@dataclass(frozen=True)
class Verification:
    """In which format a model was written, and the proof that it survived."""

    form: Format
    parity: Parity

    @property
    def runtime(self) -> dict[str, str]:
        """What it was proven with, and its version."""
        return {self.form.runtime: version(self.form.runtime)}


@dataclass(frozen=True, eq=False)
class CardContent:
    """What a card is about.

    Attributes:
        record: of the training that was exported.
        row: of its recipe in the leaderboard ``board``.
        board: of the comparison.
        replicates: of the recipe, all that finished.
        facts: what the ledger notes of the comparison; its data is that of this very training.
        setup: what was held equal.
        preprocessor: of the inputs.
        proven: in which format, and how well it survived.
        refit: how it was trained anew; None for a replicate of the comparison.
    """

    record: Record
    row: Row
    board: Leaderboard
    replicates: tuple[Record, ...]
    facts: dict[str, Any]
    setup: TrainingSetup
    preprocessor: Preprocessor
    proven: Verification
    refit: RefitInfo | None = None

    @property
    def data(self) -> dict[str, Any]:
        """What is known of the data, without the folders of this machine: a model is made to be given away."""
        data, source = self.facts["data"], self.facts["data"]["source"]
        short = " + ".join(Path(part).name or part for part in source.split(" + "))
        told = {key: [said.replace(source, short) for said in data.get(key, ())] for key in ("repairs", "warnings")}
        return {**data, "source": short, **told}


TEMPLATE = """\
---
library_name: {{ library }}
{%- if pipeline %}
pipeline_tag: {{ pipeline }}
{%- endif %}
tags: [regzoo, {{ tags }}, {{ task }}]
---
# {{ name }}: `{{ recipe.recipe_text }}`

{{ title }} with its preprocessing inside, made with regzoo {{ versions.regzoo }} and Keras {{ versions.keras }}.
Its recipe, `{{ row.recipe }}`, is number {{ row.rank }} of {{ ranked }} in a comparison of regularizers on the network
`{{ setup.backbone }}`, ranked by validation {{ setup.rank_by }}.
{%- if refit %} It was then trained anew on train + validation.{% endif %}

## Intended use

To {{ purpose }}, for inputs like those of {{ source }}: of the same kind, measured in the same way.
Nothing else was measured.

## Use

```python
{{ call }}
```

Inputs, raw as in the data:

{% for sentence in takes -%}
- {{ sentence }}
{% endfor %}
Outputs:

{% for sentence in gives -%}
- {{ sentence }}
{% endfor -%}
{%- if passes %}
Its passes are {{ passes }}; the signature `with_samples` takes another number of them beside the inputs:
`model.signatures["with_samples"](..., samples=tf.constant(200))`.
{% endif -%}
{%- if form.plain %}
TensorFlow Serving answers over HTTP; the model needs the folder of a version number above it:

```bash
docker run -p 8501:8501 -v "$PWD/model:/models/model/1" tensorflow/serving
curl -d '{"inputs": {{ body }}}' http://localhost:8501/v1/models/model:predict
```
{% endif %}
## Data

{{ data.rows }} rows of {{ data.inputs }} from {{ source }} (digest `{{ data.digest }}`), of which
{{ data.train }} for training, {{ data.validation }} for validation and {{ data.test }} for testing.
{%- if noise and not refit %}
For a stress test {{ noise }} of the training labels were made wrong on purpose; the others are as they came.
{%- endif %}
{%- if repairs %}

{{ "What the training part taught about the columns, and the model does inside:" if not whole else
   "Done to the data beforehand, and not by the model:" }}

{% for sentence in repairs -%}
- {{ sentence }}
{% endfor %}
{%- else %}
{% endif %}
## Metrics

Of this very model, and the mean over the {{ row.replicates }} replicates of its recipe in the comparison;
95 % intervals are in brackets.

| metric | train | validation | test | test, mean of replicates |
|---|---|---|---|---|
{% for name, row in metrics.items() -%}
| {{ name }} | {{ row.train }} | {{ row.validation }} | {{ row.test }} | {{ row.mean }} |
{% endfor %}
{% if refit -%}
It was trained on train + validation ({{ refit.rows }} rows), its validation score is therefore unknown; its test score
is that of rows it has not seen. It was trained for {{ refit.epochs }} epoch{{ "s" if refit.epochs > 1 }}, the median
of what its replicates {{ "kept" if refit.stopped else "trained" }} ({{ refit.learned_from | join(", ") }})
{%- if refit.stopped %}; early stopping itself was left out, as there was no validation part to watch{% endif %}.
{%- if refit.cleaned %} The wrong labels that the comparison put into its training rows were left out.{% endif %}
{% else -%}
It is the replicate with the best validation {{ setup.rank_by }} of {{ row.replicates }}; its validation score is
therefore slightly optimistic, its test score is not.
{% endif -%}
Mean over the replicates on validation: {{ setup.rank_by }} {{ mean }}
{%- if gain %}; gain over `{{ baseline }}`: {{ gain }}, {{ row.verdict }}{% endif %}.
{%- if folds > 1 %} Each replicate was trained and validated on other rows
{%- if not refit %}; this one is number {{ recipe.number + 1 }}{% endif %}.
{%- endif %}

## Limits

- Measured on {{ data.test }} test rows of one data set, after
  {{ "one split" if folds == 1 else "%d folds" | format(folds) }} of the others into training and validation.
- Inputs unlike the training data get confident answers all the same.
{%- if whole %}
- Nothing was missing in training: an answer to NaN is no answer, whatever it says.
{%- endif %}
{%- for sentence in warnings %}
- Noticed in the data: {{ sentence }}
{%- endfor %}

## Proof

Reloaded with {{ runtime }} alone, in a process of its own, it answered {{ parity.rows }} held-out raw rows at batch
sizes {{ parity.batches | join(" and ") }} like the live model, with a largest difference of
{{ "%.2g" | format(parity.largest_difference) }}. `recipe.json` holds seeds and versions too.
"""


def recipe_json(subject: CardContent, seeds: list[int]) -> dict[str, Any]:
    """What was exported, from which data and ``seeds``, by which versions, and the proof that it survived."""
    record, row, setup, preprocessor = subject.record, subject.row, subject.setup, subject.preprocessor
    return replace_nonfinite(
        {
            "format": subject.proven.form.name,
            "file": subject.proven.form.file,
            "runtime": subject.proven.runtime,
            "recipe": record.run.recipe_text,
            "written": record.run.name,
            "backbone": setup.backbone,
            "optimizer": setup.optimizer,
            "batch_size": setup.batch_size,
            "learning_rate": record.run.learning_rate,
            "epochs": record.epochs,
            "seed": record.run.seed,
            "member_seeds": seeds,
            "members": len(seeds),
            "rank_by": setup.rank_by,
            "metrics": record.metrics,
            "refit": None if subject.refit is None else subject.refit.to_dict(),
            "rank": row.rank,
            "mean": row.mean,
            "interval": [row.low, row.high],
            "gain": [row.gain, row.gain_low, row.gain_high],
            "data": subject.data,
            "labels": list(preprocessor.labels),
            "inputs": inputs(preprocessor),
            "dtypes": {name: spec.dtype.name for name, spec in input_specs(preprocessor).items()},
            "shapes": {name: list(spec.shape)[1:] for name, spec in input_specs(preprocessor).items()},
            "rules": [rule_to_json(rule) for rule in preprocessor.rules],
            "versions": {name: version(name) for name in PACKAGES},
            "parity": subject.proven.parity.to_dict(),
        }
    )


def readme(subject: CardContent) -> str:
    """The model card, in Markdown."""
    record, row, preprocessor, form = subject.record, subject.row, subject.preprocessor, subject.proven.form
    data = subject.data
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)  # plain text
    return environment.from_string(TEMPLATE).render(
        name=subject.facts["name"],
        folds=subject.facts.get("folds", 1),
        data=data,
        noise=f"{data['label_noise']:.0%}" if data.get("label_noise") else "",
        source=usage.text(data["source"]),
        repairs=[usage.text(sentence) for sentence in data["repairs"]],
        warnings=[usage.text(sentence) for sentence in data["warnings"]],
        setup=subject.setup,
        recipe=record.run,
        row=row,
        baseline=subject.board.baseline,
        ranked=sum(each.rank is not None for each in subject.board.recipes),
        task=preprocessor.task,
        form=form,
        title=f"{'An' if form.title[0] in 'AEIO' else 'A'} {form.title}",
        library=_LIBRARIES[form.name],
        pipeline=_PIPELINES.get((preprocessor.kind, preprocessor.task)),
        tags=_TAGS[form.name],
        versions={name: version(name) for name in PACKAGES},
        runtime=" ".join(*subject.proven.runtime.items()),
        purpose=_purpose(preprocessor, data.get("target")),
        call=usage.call(preprocessor, form),
        body=usage.request(preprocessor),
        passes=next((str(part) for part in record.run.recipe if part.name == "mc_dropout"), None),
        takes=usage.takes(preprocessor),
        gives=usage.gives(preprocessor, record.run.recipe, form),
        whole=not preprocessor.rules,
        refit=subject.refit,
        metrics=_metrics(subject),
        mean=_between(row.mean, row.low, row.high),
        gain=None if row.gain is None else _between(row.gain, row.gain_low, row.gain_high),
        parity=subject.proven.parity,
    )


def _purpose(preprocessor: Preprocessor, target: str | None) -> str:
    """What the model is for, after a ``To``."""
    named = None if target is None else usage.code(target)
    return {
        "classification": f"tell {named or 'the label'}, one of {usage.labels(preprocessor)}",
        "multilabel": f"tell which of {usage.labels(preprocessor)} are there",
        "regression": f"predict {named or 'a number'}",
        "reconstruction": "rebuild what it is given, and so to notice what is unlike the training data",
    }[preprocessor.task]


def _metrics(subject: CardContent) -> dict[str, dict[str, str]]:
    """The cells of the table of metrics, by metric."""
    rules = PairSettings(test_train_ratio=subject.facts.get("test_train_ratio"))
    rows = {}
    for name in subject.record.metrics["train"]:
        cells = {
            part: _number(subject.record.metrics.get(part, {}).get(name)) for part in ("train", "validation", "test")
        }
        values = [value for r in subject.replicates if (value := r.metrics["test"].get(name)) is not None]
        mean = sum(values) / len(values) if values and len(values) == len(subject.replicates) else None
        rows[name] = {**cells, "mean": _between(mean, *replace_nonfinite(list(rules.interval(values))))}
    return rows


def _between(value: float | None, low: float | None, high: float | None) -> str:
    return _number(value) if low is None or high is None else f"{_number(value)} ({_number(low)} to {_number(high)})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
