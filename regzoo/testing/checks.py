"""The checks: a law each. A check returns quietly, or raises what is wrong."""

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
    Rule,
    Watcher,
)
from regzoo.core.component import construct
from regzoo.core.errors import ContractError
from regzoo.core.grammar import read_call
from regzoo.core.places import IN_GRAPH
from regzoo.testing.graph_ops import count_products, list_operations
from regzoo.testing.harness import BATCH, OBJECTIVE, ROUNDING, ROWS, TASK, Harness, close_weights, equal_weights

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
    part = harness.regularizer
    declared = tuple(base for base in METHODS if isinstance(part, base))
    for base, method in METHODS.items():
        if base not in declared and method in dir(type(part)):
            raise ContractError(f"it has a method {method!r} and does not declare {base.__name__}")
    if isinstance(part, OnTraining) and not isinstance(part.watch(OBJECTIVE), Watcher):
        raise ContractError("watch() returns no Watcher")
    if isinstance(part, AfterTraining):
        _check_finish(part, harness)
    if isinstance(part, IN_GRAPH):
        _check_results(part, harness)
        _check_one_step(part, harness)
        if not any(_leaves_trace(one, harness) for one in _strengths(part)):
            raise ContractError(f"{part} trains the very weights that none does: it leaves no trace")


def _strengths(part: Regularizer) -> list[Regularizer]:
    """``part`` as it is, then at both ends of what is searched: a limit may be too wide for a tiny model."""
    ends = [{f: spec.range.values()[end] for f, spec in part.strengths().items()} for end in (0, -1)]
    return [part, *(dataclasses.replace(part, **values) for values in ends if values)]


def _leaves_trace(part: Regularizer, harness: Harness) -> bool:
    import tensorflow as tf

    if not equal_weights(harness.train(harness.base + part), harness.train(harness.base)):
        return True
    if not isinstance(part, OnLoss):
        return False
    y = TASK.encode(harness.y)
    logits = 6.0 * y  # well trained: where some losses begin to act
    model = harness.build_model(harness.base + part)
    per_example = TASK.loss(y, logits)
    return any(bool(tf.reduce_any(one.loss(y, logits, per_example) != per_example)) for one in model.acting(OnLoss))


def _check_results(part: Regularizer, harness: Harness) -> None:
    model = harness.build_model(harness.recipe)
    rules = [ruled.rule for ruled in model.rules(object) if ruled.part == part.name]
    if wrong := [rule for rule in rules if not isinstance(rule, Rule)]:
        raise ContractError(f"rule() returns {wrong[0]!r}: no Penalty, Projection, Perturbation or Companion")
    if isinstance(part, OnLoss):
        y = TASK.encode(harness.y)
        shape = np.shape(part.loss(y, y, TASK.loss(y, y)))
        if shape != (ROWS,):
            raise ContractError(f"loss() returns shape {shape} for a batch of {ROWS}: one number for each example")


def _check_one_step(part: Regularizer, harness: Harness) -> None:
    seen = {}
    perturbs = bool(harness.build_model(harness.recipe).rules(Perturbation))
    for name, recipe in (("with", harness.recipe), ("without", harness.base)):
        model = harness.build_model(recipe)
        model.optimizer.learning_rate.assign(0.0)
        before = harness.get_weights(model)
        seen[name] = model.update(harness.x, harness.y)[1].numpy()
        moved = [key for key, value in harness.get_weights(model).items() if not np.array_equal(value, before[key])]
        if moved and not model.rules(Projection, Companion):
            raise ContractError(f"at learning rate 0 it moved {', '.join(moved)}, and it is no projection")
    unchanged = np.allclose(seen["with"], seen["without"], atol=ROUNDING, rtol=0)
    if not (unchanged or perturbs or isinstance(part, OnBatch | OnActivations | OnForward)):
        raise ContractError("it changes the forward pass and declares neither OnBatch, OnActivations nor OnForward")


def _check_finish(part: AfterTraining, harness: Harness) -> None:
    count = part.n_models()
    if not isinstance(count, int) or count < 1:
        raise ContractError(f"trainings() must be a whole number from 1, received {count!r}")
    finished = part.finish([harness.build_model(harness.base, seed) for seed in range(count)])
    if np.shape(finished(harness.x)) != (ROWS, TASK.size):
        raise ContractError(f"finish() returns a model with outputs {np.shape(finished(harness.x))}")


def check_does_nothing_at_neutral(harness: Harness) -> None:
    """Law 2: at its neutral strength, dialled on the same program, it trains the baseline's weights."""
    neutral = harness.regularizer.neutral()
    if neutral is None or not isinstance(neutral, IN_GRAPH):
        return
    harness.train(harness.recipe)
    dialled = harness.train(harness.base + neutral, program=harness.get_program(harness.recipe))
    if not close_weights(dialled, harness.train(harness.base)):
        raise ContractError(f"{neutral} trains other weights than none does")


def check_starts_like_the_baseline(harness: Harness) -> None:
    """Law 3: weights that it shares with the baseline start equal for the same seed."""
    if not equal_weights(
        harness.get_weights(harness.build_model(harness.recipe, 3)),
        harness.get_weights(harness.build_model(harness.base, 3)),
    ):
        raise ContractError("it shifts the initial weights of layers that are not its own")


def check_repeats_with_its_seed(harness: Harness) -> None:
    """Law 4: same seed, same result; another seed, another result, also for its random draws alone."""
    first = harness.train(harness.recipe, seed=1)
    if not equal_weights(first, harness.train(harness.recipe, seed=1)):
        raise ContractError("two runs with the same seed differ: it draws from a stream that is not its own")
    if equal_weights(first, harness.train(harness.recipe, seed=2)):
        raise ContractError("two runs with different seeds are equal")
    if _draws(harness) and equal_weights(first, harness.train(harness.recipe, seed=1, noise=2)):
        raise ContractError("its random draws do not depend on the seed it is given")


def _draws(harness: Harness) -> bool:
    return any(re.search("Random", kind) for kind in list_operations(harness.trace_step(harness.recipe)))


def check_predicts_the_same_twice(harness: Harness) -> None:
    """Law 5: inference is deterministic, and validation batches are untouched."""
    model = harness.build_model(harness.recipe)
    first = model.predict(harness.x, batch_size=ROWS, verbose=0)
    if not np.array_equal(first, model.predict(harness.x, batch_size=ROWS, verbose=0)):
        raise ContractError("two predictions of the same rows differ")
    expected = -np.log(first[np.arange(ROWS), harness.y]).mean()
    found = model.evaluate(harness.x, harness.y, batch_size=ROWS, verbose=0)[0]
    if abs(found - expected) > 1e-5 * max(1.0, abs(expected)):
        raise ContractError(f"evaluate gives a loss of {found:.6f}, the predictions say {expected:.6f}")


def check_is_spelled_and_bounded(harness: Harness) -> None:
    """Law 6: it prints as it is written, and refuses what lies outside its domains."""
    part = harness.regularizer
    kind = type(part)
    try:
        again = construct(read_call(str(part)), {kind.name: kind}, "regularizer")
    except InputError as error:
        raise ContractError(f"it prints as {str(part)!r}, which cannot be read: {error}") from None
    if again != part:
        raise ContractError(f"it prints as {str(part)!r}, which reads as {again!r}")
    for field, spec in part.strengths().items():
        for value in (-math.inf, -1e9, 1e9, math.nan):
            if value not in spec.domain:
                _check_refusal(kind, field, value, str(spec.domain))


def _check_refusal(kind: type[Regularizer], field: str, value: float, domain: str) -> None:
    try:
        made = kind(**{field: value})
    except InputError as error:
        missing = [text for text in (field, repr(value), domain) if text not in str(error)]
        if missing:
            raise ContractError(f"the refusal of {field}={value} does not say {missing}: {error}") from None
    else:
        raise ContractError(f"it accepts {field}={value} outside {domain}: {made}")


def check_dial_equals_fresh_build(harness: Harness) -> None:
    """Law 7: turning its dial on a traced program gives the weights of a fresh build, bit for bit."""
    from regzoo.training.engine.program import Program

    part = harness.regularizer
    dials = [field for field, spec in part.strengths().items() if spec.dial]
    if not dials or not isinstance(part, IN_GRAPH):
        return
    turned = dataclasses.replace(part, **{field: _other(part, field) for field in dials})
    harness.train(harness.recipe)
    dialled = harness.train(harness.base + turned, program=harness.get_program(harness.recipe))
    fresh = Program(harness.build_model(harness.base + turned), (harness.x, harness.y), (harness.x, harness.y), BATCH)
    if not equal_weights(dialled, harness.train(harness.base + turned, program=fresh)):
        raise ContractError(f"dialling {part} to {turned} gives other weights than building {turned}")


def _other(part: Regularizer, field: str) -> float:
    """Another strength in the searched range."""
    low, *_, high = part.strengths()[field].range.values()
    return low + 0.25 * (high - low)


def check_exports_clean(harness: Harness) -> None:
    """Law 8: the inference graph holds no training-only operation of it."""
    import tensorflow as tf

    model = harness.build_model(harness.recipe)
    shape = tf.TensorSpec([None, *harness.x.shape[1:]], tf.float32)
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(shape)
    left = [kind for kind in list_operations(graph) if TRAINING_ONLY.search(kind)]
    if left:
        raise ContractError(f"the inference graph still holds {', '.join(sorted(set(left)))}")


def check_costs_what_it_declares(harness: Harness) -> None:
    """Law 9: a training step takes as many passes through the model as it declares.

    A pass is three products a layer: its outputs, and the gradients at its inputs and at its weights. The gradient at
    the model's own inputs is left out where nothing asks for it, in the baseline as in any further pass.
    """
    cost = harness.regularizer.cost
    found, baseline = (
        count_products(harness.trace_step(recipe), harness.shared) for recipe in (harness.recipe, harness.base)
    )
    most = round(cost * (baseline + 1), 6)
    if not most - math.ceil(cost) <= found <= most:
        raise ContractError(
            f"a training step makes {found} products in the model's layers, the baseline's {baseline}: that is a cost "
            f"of about {found / baseline:.3g}, and it declares {cost:.3g}"
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
)
"""The laws, in the order of the architecture."""
