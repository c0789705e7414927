"""Usage: how an exported model is called, and what goes in and comes out, for its card."""

from __future__ import annotations

import json
import re

from regzoo.core import AfterTraining, Recipe
from regzoo.core.errors import printable
from regzoo.data.preprocessor import Preprocessor
from regzoo.export.formats import Format
from regzoo.export.saved_model import input_specs, inputs

LISTED = 20
"""A sentence names so many labels and counts the rest."""

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
    if dtype == "string":  # words, dates, true and false, as they are written: 007 is not 7
        cells = cells.astype(object).where(cells.notna(), "").astype(str)
    columns[name] = tf.constant(cells.to_numpy(), dtype)
"""

_RECIPE = """\
with open("model/recipe.json", encoding="utf-8") as file:
    recipe = json.load(file)
"""


def text(words: str) -> str:
    """Return ``words`` as Markdown that shows just these characters.

    >>> print(text("a_b <i>"))
    a\\_b \\<i\\>
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", " ".join(printable(words).split()))


def code(words: str) -> str:
    """Return ``words`` as code, in more backquotes than it has in a row.

    >>> print(code("age"), code("a`b"))
    `age` `` a`b ``
    """
    words = " ".join(printable(words).split())
    fence = "`" * max(1, *(len(found) + 1 for found in re.findall("`+", words)), 1)
    return f"{fence} {words} {fence}" if "`" in words else f"`{words}`"


def call(preprocessor: Preprocessor, form: Format) -> str:
    """Python that answers the user's ``table``, ``rows`` or ``images``."""
    return _call_tensorflow(preprocessor) if form.plain else _call_runtime(preprocessor, form)


def _call_tensorflow(preprocessor: Preprocessor) -> str:
    head = 'import tensorflow as tf\n\nmodel = tf.saved_model.load("model")\n'
    serve = 'answers = model.signatures["serving_default"]'
    if preprocessor.rules:
        return f"import json\n\n{head}{_RECIPE}{_CELLS}{serve}(**columns)"
    if preprocessor.columns:
        columns = 'columns = {n: tf.constant(table[column], tf.float32) for n, column in recipe["inputs"].items()}'
        return f"import json\n\n{head}{_RECIPE}{columns}\n{serve}(**columns)"
    return f"{head}{serve}({preprocessor.kind}=tf.constant({preprocessor.kind}, tf.float32))"


def _call_runtime(preprocessor: Preprocessor, form: Format) -> str:
    head = f"import json\n\nimport numpy as np\n{form.serve}\n\n{_RECIPE}".replace("{path}", "model").replace(
        'f"model', '"model'
    )
    if preprocessor.columns:
        columns = '{name: np.asarray(table[column], np.float32) for name, column in recipe["inputs"].items()}'
    else:
        columns = f'{{"{preprocessor.kind}": np.asarray({preprocessor.kind}, np.float32)}}'
    labels = '\nlabels = np.array(recipe["labels"])[answers["class"]]' if preprocessor.classes else ""
    return f"{head}answers = serve({columns}){labels if form.numbered else ''}"


def request(preprocessor: Preprocessor) -> str:
    """What a request holds, in JSON, cut short."""
    if not preprocessor.columns:
        return json.dumps({preprocessor.kind: ["..."]}).replace('"..."', "...")
    specs = list(input_specs(preprocessor).items())[:2]
    shown = ", ".join(f'"{name}": {["..."] if spec.dtype.name == "string" else [1.5]}' for name, spec in specs)
    return f"{{{shown}{', ...' if len(preprocessor.columns) > 2 else ''}}}".replace("'", '"')


def takes(preprocessor: Preprocessor) -> list[str]:
    """What goes in, an input a sentence."""
    named = inputs(preprocessor)
    if not preprocessor.columns:
        shape = ", ".join(map(str, preprocessor.input_shape))
        mean = ", ".join(f"{value:.4g}" for value in preprocessor.mean)
        scale = f"; the training part's mean was {mean}" if preprocessor.kind == "images" else ""
        return [f"`{preprocessor.kind}`, float32 (batch, {shape}), numbers as in the data{scale}"]
    listed = [f"`{name}`" if name == column else f"`{name}` (column {code(column)})" for name, column in named.items()]
    if not preprocessor.rules:
        return [f"{name}, float32, never missing" for name in listed]
    return [f"{name}, {_KINDS[rule.kind]}" for name, rule in zip(listed, preprocessor.rules, strict=True)]


def gives(preprocessor: Preprocessor, recipe: Recipe, form: Format) -> list[str]:
    """What comes out, an output a sentence."""
    several = any(isinstance(part, AfterTraining) for part in recipe)
    if preprocessor.task in ("regression", "reconstruction"):
        return _numbers(preprocessor, several)
    size = f"(batch, {len(preprocessor.labels)})"
    order = f"of {labels(preprocessor)}, in this order"
    if preprocessor.task == "multilabel":
        return [
            f"`probabilities`, {size}, {order}",
            f"`label`, {size}, whether each is above 1/2",
            *_spread(several, size),
        ]
    label = "`label`, (batch,), the likeliest, as the data writes it"
    if form.numbered:
        label = "`class`, (batch,), the number of the likeliest among `labels` in `recipe.json`, from 0"
    return [f"`probabilities`, {size}, {order}", label, *_spread(several, "(batch,)")]


def _numbers(preprocessor: Preprocessor, several: bool) -> list[str]:
    deviation = "the standard deviation over its members or passes"
    if preprocessor.task == "regression":
        said = ["`prediction`, (batch, 1), in the units of the data"]
        return said + ([f"`uncertainty`, (batch, 1), {deviation}"] if several else [])
    shape = ", ".join(map(str, preprocessor.input_shape))
    order = [code(feature) for rule in preprocessor.rules for feature in rule.features]
    features = f": of the features {', '.join(order)}, in this order" if order else ""
    said = [f"`reconstruction`, (batch, {shape}), in the units of the data{features}"]
    said += ["`distance`, (batch,), the root mean square of how far it is off in standard deviations"]
    return said + ([f"`uncertainty`, (batch, {shape}), {deviation}"] if several else [])


def _spread(several: bool, size: str) -> list[str]:
    if not several:
        return []
    return [
        f"`uncertainty`, {size}, the entropy of the probabilities in nats",
        f"`mutual_information`, {size}, the part of it that its members or passes disagree about",
    ]


def labels(preprocessor: Preprocessor) -> str:
    """The labels in the order of the probabilities, for a sentence; the first of many."""
    shown = [code(str(label)) for label in preprocessor.labels[:LISTED]]
    more = len(preprocessor.labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more, listed as `labels` in `recipe.json`" if more else "")
