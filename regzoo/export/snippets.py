"""Snippets for the model card: code that calls an exported model, and its inputs and outputs in words."""

from __future__ import annotations

import json

from regzoo.core import AfterTraining, Recipe
from regzoo.core.escaping import format_code_span
from regzoo.core.formatting import format_significant
from regzoo.data.columns import ColumnRule, Numeric, takes_text
from regzoo.data.numbers import MISSING_INTEGER
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.reading.numbers import format_number
from regzoo.data.reading.reading import PLAIN
from regzoo.data.vocabulary import Encoder, TokenRange
from regzoo.export.formats import Format
from regzoo.export.signature import make_input_specs, name_inputs

LISTED = 20
"""Number of labels that a sentence lists; it counts the others."""

_CELLS = """\
columns = {}
for rule, (name, column) in zip(recipe["rules"], recipe["inputs"].items()):
    missing = recipe["missing"] + rule.get("reading", {}).get("missing", [])
    cells, dtype = table[column].astype(object), recipe["dtypes"][name]
    cells = cells.where(cells.notna() & ~cells.isin(missing), None)
    if dtype == "string":  # as written: 007 is not 7
        cells = cells.where(cells.notna(), "").astype(str)
    elif dtype == "int64":  # to the last digit
        cells = cells.where(cells.notna(), -(2**63)).map(int)
    else:
        cells = pd.to_numeric(cells)
    columns[name] = tf.constant(cells.to_numpy(), dtype)
"""

_DECORATED_CELLS = _CELLS.replace(
    """\
        cells = cells.where(cells.notna(), "").astype(str)
""",
    """\
        mark = rule.get("reading", {}).get("decimal", ".") if rule["kind"] == "numeric" else "."
        typed = cells.map(lambda cell: not isinstance(cell, str))
        texts = cells.where(cells.notna(), "").astype(str)
        cells = texts.mask(typed, texts.str.replace(".", mark, regex=False))
""",
)

_OWN_KINDS = {
    "float": "numbers as in the data",
    "integer": "whole numbers as in the data",
    "boolean": "true or false",
    "text": "text as in the data",
}

_RECIPE = """\
with open("model/recipe.json", encoding="utf-8") as file:
    recipe = json.load(file)
"""


def make_call(preprocessor: Preprocessor, format: Format) -> str:
    """Return Python code that predicts from the user's ``table``, or an array by its kind; or from ``x``, by name."""
    if preprocessor.inputs:
        return _call_with_inputs(preprocessor, format)
    return _call_tensorflow(preprocessor) if format.is_saved_model else _call_runtime(preprocessor, format)


def _call_tensorflow(preprocessor: Preprocessor) -> str:
    head = 'import tensorflow as tf\n\nmodel = tf.saved_model.load("model")\n'
    serve = 'answers = model.signatures["serving_default"]'
    if preprocessor.rules:
        decorated = any(rule.kind == "numeric" and takes_text(rule) for rule in preprocessor.rules)
        cells = _DECORATED_CELLS if decorated else _CELLS
        return f"import json\n\nimport pandas as pd\n{head}{_RECIPE}{cells}{serve}(**columns)"
    if preprocessor.columns:
        dtype = f"tf.{preprocessor.centering.dtype}"
        columns = f'columns = {{n: tf.constant(table[column], {dtype}) for n, column in recipe["inputs"].items()}}'
        return f"import json\n\n{head}{_RECIPE}{columns}\n{serve}(**columns)"
    return f"{head}{serve}({preprocessor.kind}=tf.constant({preprocessor.kind}, tf.{preprocessor.centering.dtype}))"


def _call_with_inputs(preprocessor: Preprocessor, format: Format) -> str:
    """Return code that predicts from a dict ``x`` of arrays, one for each input of the user's own model."""
    specs, own = make_input_specs(preprocessor), name_inputs(preprocessor)
    if format.is_saved_model:
        lines = [f"    {name}=tf.constant(x[{own[name]!r}], tf.{spec.dtype.name})," for name, spec in specs.items()]
        serve = 'answers = model.signatures["serving_default"](\n' + "\n".join(lines) + "\n)"
        return f'import tensorflow as tf\n\nmodel = tf.saved_model.load("model")\n{serve}'
    lines = [f"    {name!r}: np.asarray(x[{own[name]!r}], np.{spec.dtype.name})," for name, spec in specs.items()]
    head = f"import json\n\nimport numpy as np\n{_get_serve(format)}\n\n{_RECIPE}"
    return f"{head}answers = serve({{\n" + "\n".join(lines) + f"\n}}){_read_labels(preprocessor, format)}"


def _get_serve(format: Format) -> str:
    return format.serve.replace('f"{path}', '"model')


def _read_labels(preprocessor: Preprocessor, format: Format) -> str:
    """Return code that turns class numbers into labels, if the format answers with numbers."""
    labels = '\nlabels = np.array(recipe["labels"])[answers["class"]]' if preprocessor.classes else ""
    return labels if format.numeric_labels else ""


def _call_runtime(preprocessor: Preprocessor, format: Format) -> str:
    head = f"import json\n\nimport numpy as np\n{_get_serve(format)}\n\n{_RECIPE}"
    dtype = f"np.{preprocessor.centering.dtype}"
    if preprocessor.rules:
        columns = '{n: np.asarray(table[column], recipe["dtypes"][n]) for n, column in recipe["inputs"].items()}'
    elif preprocessor.columns:
        columns = f'{{name: np.asarray(table[column], {dtype}) for name, column in recipe["inputs"].items()}}'
    else:
        columns = f'{{"{preprocessor.kind}": np.asarray({preprocessor.kind}, {dtype})}}'
    return f"{head}answers = serve({columns}){_read_labels(preprocessor, format)}"


def make_request(preprocessor: Preprocessor) -> str:
    """Return the ``inputs`` of an HTTP request in JSON, abbreviated."""
    if preprocessor.inputs:
        return json.dumps({name: ["..."] for name in name_inputs(preprocessor)}).replace('"..."', "...")
    if not preprocessor.columns:
        return json.dumps({preprocessor.kind: ["..."]}).replace('"..."', "...")
    specs = list(make_input_specs(preprocessor).items())[:2]
    shown = ", ".join(f'"{name}": {["..."] if spec.dtype.name == "string" else [1.5]}' for name, spec in specs)
    return f"{{{shown}{', ...' if len(preprocessor.columns) > 2 else ''}}}".replace("'", '"')


def describe_inputs(preprocessor: Preprocessor) -> list[str]:
    """Return a line of Markdown for each served input: its name, type and units."""
    names = name_inputs(preprocessor)
    if preprocessor.inputs:
        return _describe_own_inputs(preprocessor)
    if not preprocessor.columns:
        shape = ", ".join(map(str, preprocessor.input_shape))
        mean = ", ".join(format_significant(value, 4) for value in preprocessor.raw_statistics[0])
        scale = f"; the training part's mean was {mean}" if preprocessor.kind != "rows" else ""
        dtype = preprocessor.centering.dtype
        return [f"`{preprocessor.kind}`, {dtype} (batch, {shape}), numbers as in the data{scale}"]
    listed = [
        f"`{name}`" if name == column else f"`{name}` (column {format_code_span(column)})"
        for name, column in names.items()
    ]
    if not preprocessor.rules:
        return [f"{name}, {preprocessor.centering.dtype}, never missing" for name in listed]
    return [f"{name}, {_describe_cells(rule)}" for name, rule in zip(listed, preprocessor.rules, strict=True)]


def _describe_cells(rule: ColumnRule) -> str:
    """Return the dtype that a column is served as, and what its cells hold."""
    reading = rule.reading or PLAIN
    words = "".join(f" or {format_code_span(word)}" for word in reading.missing)
    if isinstance(rule, Numeric) and not takes_text(rule):
        dtype = rule.centering.dtype
        return f"{dtype}, {MISSING_INTEGER if dtype == 'int64' else 'NaN'}{words} where missing"
    if reading.clock:
        takes = f"a time such as {format_code_span(format_number(61_200.0, reading))}"
    elif rule.kind == "numeric":
        sign = f" {reading.currency}" if reading.currency else ""
        takes = f"a number such as {format_code_span(format_number(1234.5, reading) + sign)}"
    elif rule.kind == "date":
        forms = "2024-01-31T17:05+01:00, with a time zone" if reading.zoned else "2024-01-31 or 2024-01-31T17:05"
        takes = f"such as {forms}" + ("" if reading.dates == PLAIN.dates else f", or 03/04/2024, {reading.dates}")
        takes += ", in UTC" * reading.utc
    else:
        takes = "true or false" if rule.kind == "boolean" else "a word"
    return f"string, {takes}, empty{words} where missing"


def _describe_own_inputs(preprocessor: Preprocessor) -> list[str]:
    lines = []
    served = make_input_specs(preprocessor).items()
    for (name, tensor), rule in zip(served, preprocessor.inputs, strict=True):
        spec = rule.raw
        own = "" if name == spec.name else f" (the model's {format_code_span(spec.name)})"
        sizes = ", ".join(["batch", *("any" if size is None else str(size) for size in spec.shape)])
        shape = f"({sizes})" if spec.shape else "(batch,)"
        lines.append(
            f"`{name}`{own}, {tensor.dtype.name} {shape}, {_OWN_KINDS[spec.kind]}{_describe_tokens(rule.encoder)}"
        )
    return lines


def _describe_tokens(encoder: Encoder | None) -> str:
    """Return what the model knows of raw tokens, after a comma; empty for other inputs."""
    if not isinstance(encoder, TokenRange):
        return ""
    padding = ", 0 for padding" if encoder.padded else ""
    return f", tokens from 0 to {encoder.largest}{padding}; others are masked, as padding is"


def describe_outputs(preprocessor: Preprocessor, recipe: Recipe, format: Format) -> list[str]:
    """Return a line of Markdown for each output: its name, shape and meaning."""
    several = any(isinstance(regularizer, AfterTraining) for regularizer in recipe)
    if preprocessor.task in ("regression", "reconstruction"):
        return _describe_numbers(preprocessor, several)
    size = f"(batch, {len(preprocessor.labels)})"
    order = f"of {list_labels(preprocessor)}, in this order"
    if preprocessor.task == "multilabel":
        return [
            f"`probabilities`, {size}, {order}",
            f"`label`, {size}, whether each is above 1/2",
            *_describe_uncertainty(several, size),
        ]
    label = "`label`, (batch,), the most likely label, as the data writes it"
    if format.numeric_labels:
        label = "`class`, (batch,), the number of the most likely label among `labels` in `recipe.json`, from 0"
    return [f"`probabilities`, {size}, {order}", label, *_describe_uncertainty(several, "(batch,)")]


def _describe_numbers(preprocessor: Preprocessor, several: bool) -> list[str]:
    deviation = "the standard deviation over its members or passes"
    if preprocessor.task == "regression":
        lines = ["`prediction`, (batch, 1), in the units of the data"]
        return lines + ([f"`uncertainty`, (batch, 1), {deviation}"] if several else [])
    sizes = preprocessor.specs[0].shape if preprocessor.inputs else preprocessor.input_shape
    shape = ", ".join(map(str, sizes))
    order = [format_code_span(feature) for rule in preprocessor.rules for feature in rule.features]
    features = f": of the features {', '.join(order)}, in this order" if order else ""
    lines = [f"`reconstruction`, (batch, {shape}), in the units of the data{features}"]
    lines += ["`distance`, (batch,), the root mean square error in standard deviations"]
    return lines + ([f"`uncertainty`, (batch, {shape}), {deviation}"] if several else [])


def _describe_uncertainty(several: bool, size: str) -> list[str]:
    if not several:
        return []
    return [
        f"`uncertainty`, {size}, the entropy of the probabilities in nats",
        f"`mutual_information`, {size}, the share of it that its members or passes disagree about",
    ]


def list_labels(preprocessor: Preprocessor) -> str:
    """Return the labels in the order of the probabilities; of many labels, the first ones and a count of the others."""
    shown = [format_code_span(str(label)) for label in preprocessor.labels[:LISTED]]
    more = len(preprocessor.labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more, listed as `labels` in `recipe.json`" if more else "")
