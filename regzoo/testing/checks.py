"""Checks of the laws that every regularizer keeps, one each: return None, or raise a ContractError that says why."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable

import numpy as np

from regzoo.core import (
    AfterTraining,
    Companion,
    InputError,
    OnActivations,
    OnBatch,
    OnForward,
    OnGradients,
    OnLoss,
    OnTraining,
    OnWeights,
    Perturbation,
    Projection,
    Regularizer,
    Reparametrization,
    Rule,
    Watcher,
)
from regzoo.core.component import construct
from regzoo.core.errors import ContractError
from regzoo.core.grammar import read_call
from regzoo.core.places import IN_GRAPH
from regzoo.testing.graph_ops import count_products, list_operations
from regzoo.testing.harness import BATCH, OBJECTIVE, ROUNDING, ROWS, TASK, Harness, close_weights, equal_weights
from regzoo.testing.roles import check_knows_roles

TRAINING_ONLY = re.compile(r"Random|Stateless|Assign|Bernoulli|Dropout|PyFunc")

METHODS: dict[type[Regularizer], str] = {
    OnBatch: "batch",
    OnActivations: "layer",
    OnWeights: "rule",
    OnForward: "forward",
    OnLoss: "loss",
    OnGradients: "gradients",
    OnTraining: "watch",
    AfterTraining: "finish",
}


def check_acts_where_it_says(harness: Harness) -> None:
    """Law 1: it leaves a trace at its declared place and nowhere else."""
    regularizer = harness.regularizer
    declared = tuple(base for base in METHODS if isinstance(regularizer, base))
    for base, method in METHODS.items():
        if base not in declared and method in dir(type(regularizer)):
            raise ContractError(f"it has a method {method!r} and does not declare {base.__name__}")
    if isinstance(regularizer, OnTraining) and not isinstance(regularizer.watch(OBJECTIVE), Watcher):
        raise ContractError("watch() returns no Watcher")
    if isinstance(regularizer, AfterTraining):
        _check_finish(regularizer, harness)
    if isinstance(regularizer, IN_GRAPH):
        _check_results(regularizer, harness)
        _check_one_step(regularizer, harness)
        if not any(_leaves_trace(variant, harness) for variant in _list_variants(regularizer)):
            raise ContractError(f"{regularizer} trains the same weights as none does: it leaves no trace")


def _check_finish(regularizer: AfterTraining, harness: Harness) -> None:
    """Check the number of models, and the shape of what the finished model predicts."""
    count = regularizer.n_models()
    if not isinstance(count, int) or count < 1:
        raise ContractError(f"n_models() must be a whole number from 1, received {count!r}")
    finished = regularizer.finish([harness.build_model(harness.base, seed) for seed in range(count)])
    if np.shape(finished(harness.x)) != (ROWS, TASK.size):
        raise ContractError(f"finish() returns a model with outputs {np.shape(finished(harness.x))}")


def _check_results(regularizer: Regularizer, harness: Harness) -> None:
    """Check the types and shapes that its methods return."""
    model = harness.build_model(harness.recipe)
    rules = [applied.rule for applied in model.get_rules(object) if applied.name == regularizer.name]
    if wrong := [rule for rule in rules if not isinstance(rule, Rule)]:
        raise ContractError(f"rule() returns {wrong[0]!r}: none of those in regzoo.core.weight_rules")
    if isinstance(regularizer, OnLoss):
        y = TASK.encode(harness.y)
        shape = np.shape(regularizer.loss(y, y, TASK.loss(y, y)))
        if shape != (ROWS,):
            raise ContractError(f"loss() returns shape {shape} for a batch of {ROWS}: one number for each example")


def _check_one_step(regularizer: Regularizer, harness: Harness) -> None:
    """Check that one step at learning rate 0 moves no weight, and changes the outputs only if that is declared."""
    outputs = {}
    perturbs = bool(harness.build_model(harness.recipe).get_rules(Perturbation, Reparametrization))
    for name, recipe in (("with", harness.recipe), ("without", harness.base)):
        model = harness.build_model(recipe)
        model.optimizer.learning_rate.assign(0.0)
        before = harness.get_weights(model)
        outputs[name] = model.update(harness.x, harness.y)[1].numpy()
        moved = [key for key, value in harness.get_weights(model).items() if not np.array_equal(value, before[key])]
        if moved and not model.get_rules(Projection, Companion):
            raise ContractError(f"at learning rate 0 it moved {', '.join(moved)}, and it is no projection")
    unchanged = np.allclose(outputs["with"], outputs["without"], atol=ROUNDING, rtol=0)
    if not (unchanged or perturbs or isinstance(regularizer, OnBatch | OnActivations | OnForward)):
        raise ContractError("it changes the forward pass and declares neither OnBatch, OnActivations nor OnForward")


def _list_variants(regularizer: Regularizer) -> list[Regularizer]:
    """Return ``regularizer``, then both ends of its ranges: a limit may be too wide to act on a tiny model."""
    ends = [{field: spec.range.values()[end] for field, spec in regularizer.strengths().items()} for end in (0, -1)]
    return [regularizer, *(dataclasses.replace(regularizer, **values) for values in ends if values)]


def _leaves_trace(regularizer: Regularizer, harness: Harness) -> bool:
    """Return True if it changes the trained weights, or the loss of a model that is nearly certain."""
    import tensorflow as tf

    if not equal_weights(harness.train(harness.base + regularizer), harness.train(harness.base)):
        return True
    if not isinstance(regularizer, OnLoss):
        return False
    y = TASK.encode(harness.y)
    logits = 6.0 * y  # some losses act only on a well trained model
    model = harness.build_model(harness.base + regularizer)
    per_example = TASK.loss(y, logits)
    losses = [regularizer.loss(y, logits, per_example) for regularizer in model.get_regularizers(OnLoss)]
    return any(bool(tf.reduce_any(loss != per_example)) for loss in losses)


def check_does_nothing_at_neutral(harness: Harness) -> None:
    """Law 2: with its dial at the neutral strength, the same program trains the baseline's weights."""
    neutral = harness.regularizer.neutral()
    if neutral is None or not isinstance(neutral, IN_GRAPH):
        return
    harness.train(harness.recipe)
    dialed = harness.train(harness.base + neutral)  # the same program, unless its strength is no dial
    if not close_weights(dialed, harness.train(harness.base)):
        raise ContractError(f"{neutral} trains other weights than none does")


def check_starts_like_the_baseline(harness: Harness) -> None:
    """Law 3: weights that it shares with the baseline start equal for the same seed."""
    models = (harness.build_model(recipe, seed=3) for recipe in (harness.recipe, harness.base))
    if not equal_weights(*map(harness.get_weights, models)):
        raise ContractError("it shifts the initial weights of layers that are not its own")


def check_repeats_with_its_seed(harness: Harness) -> None:
    """Law 4: the same seed gives the same result, and another seed another one, also if only its own draws change."""
    first = harness.train(harness.recipe, seed=1)
    if not equal_weights(first, harness.train(harness.recipe, seed=1)):
        raise ContractError("two runs with the same seed differ: it draws from a stream that is not its own")
    if equal_weights(first, harness.train(harness.recipe, seed=2)):
        raise ContractError("two runs with different seeds are equal")
    if _draws(harness) and equal_weights(first, harness.train(harness.recipe, seed=1, noise=2)):
        raise ContractError("its random draws do not depend on the seed it is given")


def _draws(harness: Harness) -> bool:
    """Return True if its training step draws random numbers."""
    return any("Random" in kind for kind in list_operations(harness.trace_step(harness.recipe)))


def check_predicts_the_same_twice(harness: Harness) -> None:
    """Law 5: inference is deterministic, and validation batches are untouched."""
    model = harness.build_model(harness.recipe)
    first = model.predict(harness.x, batch_size=ROWS, verbose=0)
    if not np.array_equal(first, model.predict(harness.x, batch_size=ROWS, verbose=0)):
        raise ContractError("two predictions of the same rows differ")
    expected = -np.log(first[np.arange(ROWS), harness.y]).mean()
    loss = model.evaluate(harness.x, harness.y, batch_size=ROWS, verbose=0)[0]
    if abs(loss - expected) > 1e-5 * max(1.0, abs(expected)):
        raise ContractError(f"evaluate gives a loss of {loss:.6f}, the predictions give {expected:.6f}")


def check_is_spelled_and_bounded(harness: Harness) -> None:
    """Law 6: it prints as a config writes it, and rejects values outside its domains."""
    regularizer = harness.regularizer
    kind = type(regularizer)
    text = str(regularizer)
    try:
        parsed = construct(read_call(text), {kind.name: kind}, "regularizer")
    except InputError as error:
        raise ContractError(f"it prints as {text!r}, which cannot be read: {error}") from None
    if parsed != regularizer:
        raise ContractError(f"it prints as {text!r}, which reads as {parsed!r}")
    for field, spec in regularizer.strengths().items():
        for value in (-math.inf, -1e9, 1e9, math.nan):
            if value not in spec.domain:
                _check_rejection(kind, field, value, str(spec.domain))


def _check_rejection(kind: type[Regularizer], field: str, value: float, domain: str) -> None:
    """Check that ``value`` is rejected by an error that names field, value and domain."""
    try:
        accepted = kind(**{field: value})
    except InputError as error:
        missing = [text for text in (field, repr(value), domain) if text not in str(error)]
        if missing:
            raise ContractError(f"the error about {field}={value} lacks {missing}: {error}") from None
    else:
        raise ContractError(f"it accepts {field}={value} outside {domain}: {accepted}")


def check_dial_equals_fresh_build(harness: Harness) -> None:
    """Law 7: turning its dial on a traced program gives the weights of a fresh build, bit for bit."""
    from regzoo.training.engine.program import Program

    regularizer = harness.regularizer
    dials = [field for field, spec in regularizer.strengths().items() if spec.dial]
    if not dials or not isinstance(regularizer, IN_GRAPH):
        return
    turned = dataclasses.replace(regularizer, **{field: _choose_strength(regularizer, field) for field in dials})
    harness.train(harness.recipe)
    dialed = harness.train(harness.base + turned, program=harness.get_program(harness.recipe))
    fresh = Program(harness.build_model(harness.base + turned), (harness.x, harness.y), (harness.x, harness.y), BATCH)
    if not equal_weights(dialed, harness.train(harness.base + turned, program=fresh)):
        raise ContractError(f"turning the dial of {regularizer} to {turned} gives other weights than building {turned}")


def _choose_strength(regularizer: Regularizer, field: str) -> float:
    """Return another strength in the searched range."""
    low, *_, high = regularizer.strengths()[field].range.values()
    return low + 0.25 * (high - low)


def check_exports_clean(harness: Harness) -> None:
    """Law 8: the inference graph holds no training-only operation of it."""
    import tensorflow as tf

    model = harness.build_model(harness.recipe)
    spec = tf.TensorSpec([None, *harness.x.shape[1:]], tf.float32)
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
    left = [kind for kind in list_operations(graph) if TRAINING_ONLY.search(kind)]
    if left:
        raise ContractError(f"the inference graph still holds {', '.join(sorted(set(left)))}")


def check_costs_what_it_declares(harness: Harness) -> None:
    """Law 9: a training step takes as many passes through the model as it declares.

    A pass is three products a layer: its outputs, and the gradients at its inputs and at its weights. The gradient at
    the model's own inputs is not computed unless something needs it, in the baseline as in any further pass.
    """
    cost = harness.regularizer.cost
    steps = (harness.trace_step(recipe) for recipe in (harness.recipe, harness.base))
    products, baseline = (count_products(step, harness.shared) for step in steps)
    most = round(cost * (baseline + 1), 6)
    if not most - math.ceil(cost) <= products <= most:
        raise ContractError(
            f"a training step makes {products} products in the model's layers, the baseline's {baseline}: that is a "
            f"cost of about {products / baseline:.3g}, and it declares {cost:.3g}"
        )


CHECKS: tuple[Callable[[Harness], None], ...] = (
    check_acts_where_it_says,
    check_does_nothing_at_neutral,
    check_starts_like_the_baseline,
    check_repeats_with_its_seed,
    check_predicts_the_same_twice,
    check_is_spelled_and_bounded,
    check_dial_equals_fresh_build,
    check_exports_clean,
    check_costs_what_it_declares,
    check_knows_roles,
)
"""The laws, in the order of the architecture."""
