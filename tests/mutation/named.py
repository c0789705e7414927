"""Faults that once lived in the zoo unnoticed, or could have: each is killed by a test that was written for it."""

from __future__ import annotations

from tests.mutation.choose_tests import read_text
from tests.mutation.mutants import Mutant, describe, list_modules

NAMED: dict[str, tuple[str, str, str]] = {
    "attention slot before the softmax": (
        "backbones.transformer",
        'slot("attention", keras.layers.Softmax(name=f"{name}_softmax")(scores, **seen))',
        'keras.layers.Softmax(name=f"{name}_softmax")(slot("attention", scores), **seen)',
    ),
    "transformer's branch slot after the addition of attention": (
        "backbones.transformer",
        'keras.layers.Add(name=f"{name}_attention_add")([x, slot("branch", h)])',
        'slot("branch", keras.layers.Add(name=f"{name}_attention_add")([x, h]))',
    ),
    "transformer's branch slot after the addition of the dense layers": (
        "backbones.transformer",
        'keras.layers.Add(name=f"{name}_mlp_add")([x, slot("branch", h)])',
        'slot("branch", keras.layers.Add(name=f"{name}_mlp_add")([x, h]))',
    ),
    "mlp's branch slot after the addition": (
        "backbones.mlp",
        'keras.layers.Add(name=f"add_{index}")([x, slot("branch", h)])',
        'slot("branch", keras.layers.Add(name=f"add_{index}")([x, h]))',
    ),
    "each Monte Carlo pass the mean of two": (
        "regularizers._monte_carlo",
        "outputs = [run_stochastic_pass(model, number, copies) for",
        "outputs = [(lambda o: (o + tf.roll(o, 1, 0)) / 2.0)(run_stochastic_pass(model, number, copies)) for",
    ),
    "ema skips batch norm's scales": (
        "regularizers.ema",
        "return Companion(",
        'return None if weight.role == "scale" else Companion(',
    ),
    "sam does not climb batch norm's scales": (
        "regularizers.sam",
        "weight.assign_add(scale * gradient)",
        'weight.assign_add(scale * gradient * (0.0 if weight.name == "gamma" else 1.0))',
    ),
    "snapshot's learning rate halved from cycle 3": (
        "regularizers.snapshot_ensemble",
        "(1.0 + math.cos(math.pi * passed)) / 2.0",
        "(1.0 + math.cos(math.pi * passed)) / (2.0 if self.done * self.cycles < 2 * self.epochs else 4.0)",
    ),
    "random_zoom with one factor for both axes of square images": (
        "regularizers.random_zoom",
        "return resample(x, rows, columns), y",
        "return resample(x, rows, rows if height == width else columns), y",
    ),
    "cutmix's area in images from Beta(2, 1)": (
        "regularizers.cutmix",
        "keras.ops.where(replaced, keras.random.uniform(each, seed=seed), 0.0)",
        "keras.ops.where(replaced, keras.random.uniform(each, seed=seed) ** (0.5 if len(x.shape) == 4 else 1.0), 0.0)",
    ),
}
"""For each fault the module, a text that occurs once in it, and the text in its place."""


def list_named() -> list[Mutant]:
    """Return these mutants; their kind is the fault's name.

    Raises:
        ValueError: if a module no longer has the text.
    """
    found = []
    for fault, (module, before, after) in NAMED.items():
        source = read_text(list_modules()[f"regzoo.{module}"])
        if source.count(before) != 1:
            raise ValueError(f"{fault}: {module} has the text {source.count(before)} times: {before}")
        found.append(describe(f"regzoo.{module}", fault, source, source.replace(before, after)))
    return found
