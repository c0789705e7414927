"""The zoo against PyTorch: its own functions, and the reference code of papers written out in it, on equal numbers."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Slot
from regzoo.regularizers import ConfidencePenalty, Cutmix, Dropblock, Focal, LabelSmoothing, Mixup, StochasticDepth
from regzoo.regularizers._augment import draw_partners
from regzoo.regularizers.r_drop import symmetric_divergence

torch = pytest.importorskip("torch")
F = pytest.importorskip("torch.nn.functional")

LOGITS = 3.0 * np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
LABELS = np.arange(40) % 4


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Return labels below 4 as rows with a single 1."""
    return np.eye(4, dtype=np.float32)[labels]


def stream(seed: int = 7) -> keras.random.SeedGenerator:
    """Return a new stream; the first draws of two with one seed are equal."""
    return keras.random.SeedGenerator(seed)


def make_network(norm: bool) -> Any:
    """Return in PyTorch what ``mlp([6])`` is, with batch norm of Keras's settings or without."""
    middle = [torch.nn.BatchNorm1d(6, eps=1e-3, momentum=0.1)] if norm else []
    return torch.nn.Sequential(torch.nn.Linear(5, 6), *middle, torch.nn.ReLU(), torch.nn.Linear(6, 3))


def list_parameters(model: Any) -> list[np.ndarray]:
    """Return the trainable weights of a model of regzoo, each as PyTorch has it: a kernel is (units, inputs) there."""
    return [weight.numpy().T for weight in model.trainable_variables]


def copy_weights(model: Any, network: Any) -> None:
    """Set the weights of ``network`` to those of ``model``; both list them from the first layer on."""
    with torch.no_grad():
        for parameter, weight in zip(network.parameters(), list_parameters(model), strict=True):
            parameter.copy_(torch.tensor(weight))


def climb_and_descend(network: Any, rho: float, speeds: list[Any], compute_loss: Any) -> None:
    """Take a step of SAM as its PyTorch code does: first_step, second pass, second_step with SGD and momentum."""
    compute_loss(network).backward()
    parameters = list(network.parameters())
    norm = torch.norm(torch.stack([p.grad.norm(p=2) for p in parameters]), p=2)
    moves = [p.grad * (rho / (norm + 1e-12)) for p in parameters]
    for parameter, move in zip(parameters, moves, strict=True):
        parameter.data.add_(move)
    network.zero_grad()
    compute_loss(network).backward()
    for parameter, move, speed in zip(parameters, moves, speeds, strict=True):
        parameter.data.sub_(move)
        speed.mul_(0.9).add_(parameter.grad)
        parameter.data.sub_(0.2 * speed)
    network.zero_grad()


@pytest.mark.parametrize("norm", [False, True], ids=["plain", "batch norm"])
def test_sam_is_the_two_steps_of_its_code(norm: bool, rows: Any) -> None:
    """Scales and offsets of batch norm climb too: with rho as large as this, five steps differ by 0.01 without."""
    recipe = "batch_norm(0.9) + sam(0.5)" if norm else "sam(0.5)"
    optimizer = keras.optimizers.SGD(0.2, momentum=0.9)
    model = regzoo.build("mlp([6])", recipe, input_shape=(5,), classes=3, optimizer=optimizer, seed=1)
    network = make_network(norm)
    copy_weights(model, network)
    speeds = [torch.zeros_like(parameter) for parameter in network.parameters()]
    x, y = torch.tensor(rows[0]), torch.tensor(rows[1])
    for _ in range(5):
        model.update(*rows)
        climb_and_descend(network, 0.5, speeds, lambda net: F.cross_entropy(net(x), y))
    for ours, theirs in zip(list_parameters(model), network.parameters(), strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=2e-5)  # float32 roundings of five steps


def test_swa_is_torchs_average_with_refitted_statistics(rows: Any) -> None:
    """PyTorch refits with unbiased variances: they are n / (n - 1) times Keras's, with n rows in each batch."""
    model = regzoo.build("mlp([6])", "batch_norm(0.9) + swa(0.5)", input_shape=(5,), classes=3, seed=1)
    network = make_network(norm=True)
    average = torch.optim.swa_utils.AveragedModel(network)

    ends = []

    def follow(batch: int, logs: Any) -> None:
        """Add the weights in training, which the average replaces once an epoch has ended."""
        if batch == 2:
            ends.append(batch)
            if len(ends) > 2:
                copy_weights(model, network)
                average.update_parameters(network)

    keep = keras.callbacks.LambdaCallback(on_train_batch_end=follow)
    options: dict[str, Any] = {"batch_size": 20, "epochs": 4, "shuffle": False, "verbose": 0}
    model.fit(*rows, validation_data=rows, callbacks=[keep], **options)
    torch.optim.swa_utils.update_bn([torch.tensor(rows[0][start : start + 20]) for start in (0, 20, 40)], average)
    for ours, theirs in zip(list_parameters(model), average.module.parameters(), strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-6)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    theirs = average.module[1]
    np.testing.assert_allclose(norm.moving_mean.numpy(), theirs.running_mean.numpy(), atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance.numpy(), theirs.running_var.numpy() * 19 / 20, rtol=1e-4)


def test_ema_is_torchs_without_the_weight_of_the_first_step(rows: Any) -> None:
    """PyTorch's starts from the weights after the first step, whose coefficient is decay^steps too large."""
    decay, steps = 0.7, 6
    model = regzoo.build("mlp([6])", f"ema({decay})", (5,), 3, optimizer=keras.optimizers.SGD(0.2), seed=1)
    network = make_network(norm=False)
    function = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    average = torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=function)
    first: list[np.ndarray] = []
    for _ in range(steps):
        model.update(*rows)
        first = first or list_parameters(model)
        copy_weights(model, network)
        average.update_parameters(network)
    found = {id(weight): kept.numpy().T for weight, kept in model.companions("ema")}
    for weight, once, theirs in zip(model.trainable_variables, first, average.module.parameters(), strict=True):
        expected = (theirs.detach().numpy() - decay**steps * once) / (1 - decay**steps)
        np.testing.assert_allclose(found[id(weight)], expected, atol=1e-5)


@pytest.mark.parametrize(("index", "of"), [(0, 4), (2, 4), (3, 4)])
def test_stochastic_depth_is_torchvisions_by_row_with_rates_linear_in_depth(index: int, of: int) -> None:
    """``stochastic_depth(x, p, mode="row")``, p = rate (index + 1) / branches, as in torchvision's networks."""
    h = np.random.default_rng(0).normal(size=(64, 3, 2, 5)).astype(np.float32)
    ours = np.array(StochasticDepth(0.6).layer(Slot("branch", index, of, 4, 7))(h, training=True))
    survival = 1.0 - 0.6 * (index + 1) / of
    noise = torch.tensor(ours.any(axis=(1, 2, 3)).astype(np.float32)).reshape(-1, 1, 1, 1)
    assert noise.mean().item() == pytest.approx(survival, abs=4 * math.sqrt(survival * (1 - survival) / 64))
    np.testing.assert_allclose(ours, (torch.tensor(h) * noise.div_(survival)).numpy(), rtol=1e-6)


@pytest.mark.parametrize(("size", "block"), [((9, 9), 3), ((8, 6), 2), ((12, 7), 5)])
def test_dropblock_is_torchvisions_for_equal_seeds(size: tuple[int, int], block: int) -> None:
    """``drop_block2d(x, p, block_size)`` with its Bernoulli draws replaced by ours."""
    (height, width), p = size, 0.2
    h = np.random.default_rng(0).normal(size=(6, height, width, 3)).astype(np.float32)
    ours = np.array(Dropblock(p, block).drop(h, stream()))
    corners = (height - block + 1) * (width - block + 1)
    gamma = (p * height * width) / (block**2 * corners)
    shape = (6, height - block + 1, width - block + 1, 3)
    noise = (torch.tensor(np.array(keras.random.uniform(shape, seed=stream()))) < gamma).float().permute(0, 3, 1, 2)
    noise = F.pad(noise, [block // 2] * 2 + [block // 2] * 2, value=0) if block % 2 else F.pad(noise, [block - 1] * 4)
    padding = block // 2 if block % 2 else 0
    noise = 1 - F.max_pool2d(noise, stride=(1, 1), kernel_size=(block, block), padding=padding)
    scale = noise.numel() / (1e-6 + noise.sum())
    theirs = torch.tensor(h).permute(0, 3, 1, 2) * noise * scale
    np.testing.assert_allclose(ours, theirs.permute(0, 2, 3, 1).numpy(), rtol=1e-5, atol=1e-6)


def test_mixups_loss_is_that_of_its_code() -> None:
    """Cross-entropy of mixed targets is lam CE(prediction, y_a) + (1 - lam) CE(prediction, y_b)."""
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(40, 5)).astype(np.float32), random.normal(size=(5, 4)).astype(np.float32)
    mixed, targets = (np.array(t) for t in Mixup(0.7).batch(x, one_hot(LABELS), stream()))
    seed = stream()
    index = torch.tensor(np.array(draw_partners(x, seed)))
    lam = torch.tensor(np.array(Mixup(0.7).draw_weights(40, seed)))[:, None]
    theirs = lam * torch.tensor(x) + (1 - lam) * torch.tensor(x)[index]
    np.testing.assert_allclose(mixed, theirs.numpy(), rtol=1e-5, atol=1e-6)
    prediction, labels = theirs @ torch.tensor(kernel), torch.tensor(LABELS)
    losses = [F.cross_entropy(prediction, each, reduction="none") for each in (labels, labels[index])]
    expected = lam[:, 0] * losses[0] + (1 - lam[:, 0]) * losses[1]
    ours = tf.nn.softmax_cross_entropy_with_logits(targets, mixed @ kernel)
    np.testing.assert_allclose(np.array(ours), expected.numpy(), rtol=1e-4, atol=1e-5)


def draw_reference_box(size: int, lam: float, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Return ``rand_bbox`` of CutMix's code."""
    cut = int(size * math.sqrt(1.0 - lam))
    cx, cy = random.integers(size), random.integers(size)
    low = (np.clip(cx - cut // 2, 0, size), np.clip(cy - cut // 2, 0, size))
    high = (np.clip(cx + cut // 2, 0, size), np.clip(cy + cut // 2, 0, size))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def test_cutmix_pastes_boxes_as_large_as_those_of_its_code() -> None:
    """Boxes of their code are up to a pixel or two of 96 smaller: a side is rounded down to an even number."""
    size, n = 96, 3000
    x = np.repeat(np.arange(n, dtype=np.float32), size * size).reshape(n, size, size, 1)
    mixed, targets = (np.array(t) for t in Cutmix(1.0).batch(x, x[:, :2, 0, 0], stream()))
    kept = (mixed == x).mean(axis=(1, 2, 3))
    others = np.where(kept < 1, mixed.max(axis=(1, 2, 3)) + mixed.min(axis=(1, 2, 3)) - x[:, 0, 0, 0], x[:, 0, 0, 0])
    # y = lam y_a + (1 - lam) y_b with lam set to the share of the pixels that were kept.
    np.testing.assert_allclose(targets[:, 0], kept * x[:, 0, 0, 0] + (1 - kept) * others, rtol=1e-4, atol=0.05)
    random = np.random.default_rng(0)
    boxes = [draw_reference_box(size, random.beta(1.0, 1.0), random) for _ in range(n)]
    theirs = np.array([1 - (right - left) * (low - top) / size**2 for left, top, right, low in boxes])
    quantiles = np.linspace(0.02, 0.98, 25)
    distances = np.abs(np.searchsorted(np.sort(kept), np.quantile(theirs, quantiles)) / n - quantiles)
    # 1.63 sqrt(2 / n): the two-sample test of Kolmogorov and Smirnov at 1 %; and a share of 2 pixels of 96.
    assert distances.max() < 1.63 * math.sqrt(2 / n) + 2 / size
    assert kept.mean() == pytest.approx(theirs.mean(), abs=5 * theirs.std() * math.sqrt(2 / n) + 2 / size)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_focal_loss_and_gradient_are_those_of_its_form_in_torch(gamma: float) -> None:
    logits, theirs = tf.Variable(LOGITS), torch.tensor(LOGITS, requires_grad=True)
    with tf.GradientTape() as tape:
        plain = tf.nn.softmax_cross_entropy_with_logits(one_hot(LABELS), logits)
        ours = tf.reduce_sum(Focal(gamma).loss(one_hot(LABELS), logits, plain))
    entropy = F.cross_entropy(theirs, torch.tensor(LABELS), reduction="none")
    loss = ((1 - torch.exp(-entropy)) ** gamma * entropy).sum()
    loss.backward()
    assert float(ours) == pytest.approx(loss.item(), rel=1e-4)
    np.testing.assert_allclose(np.array(tape.gradient(ours, logits)), theirs.grad.numpy(), rtol=1e-3, atol=1e-5)


def test_focal_loss_of_two_classes_is_torchvisions_sigmoid_focal_loss() -> None:
    """``sigmoid_focal_loss(z, y, alpha=-1)``; the softmax of (0, z) is the sigmoid of z."""
    z, y = torch.tensor(LOGITS[:, 0]), torch.tensor((LABELS % 2).astype(np.float32))
    p = torch.sigmoid(z)
    p_t = p * y + (1 - p) * (1 - y)
    theirs = F.binary_cross_entropy_with_logits(z, y, reduction="none") * (1 - p_t) ** 2.0
    logits = np.stack([np.zeros(40, np.float32), LOGITS[:, 0]], axis=1)
    labels = np.eye(2, dtype=np.float32)[LABELS % 2]
    ours = Focal(2.0).loss(labels, logits, tf.nn.softmax_cross_entropy_with_logits(labels, logits))
    np.testing.assert_allclose(np.array(ours), theirs.numpy(), rtol=1e-3, atol=1e-6)


def test_losses_are_those_of_torch() -> None:
    """Label smoothing, the entropy of a prediction, and R-Drop's divergence as in the authors' code."""
    logits, labels = torch.tensor(LOGITS), torch.tensor(LABELS)
    _, smooth = LabelSmoothing(0.2).batch(LOGITS, one_hot(LABELS), stream())
    plain = tf.nn.softmax_cross_entropy_with_logits(smooth, LOGITS)
    theirs = F.cross_entropy(logits, labels, reduction="none", label_smoothing=0.2)
    np.testing.assert_allclose(np.array(plain), theirs.numpy(), rtol=1e-5)
    entropy = torch.distributions.Categorical(logits=logits).entropy()
    ours = ConfidencePenalty(0.3).loss(one_hot(LABELS), LOGITS, np.zeros(40, np.float32))
    np.testing.assert_allclose(np.array(ours), -0.3 * entropy.numpy(), rtol=1e-4, atol=1e-6)
    p, q = logits, torch.tensor(LOGITS[::-1].copy())
    there = F.kl_div(F.log_softmax(p, -1), F.softmax(q, -1), reduction="none").sum(-1)
    back = F.kl_div(F.log_softmax(q, -1), F.softmax(p, -1), reduction="none").sum(-1)
    divergence = symmetric_divergence(LOGITS, LOGITS[::-1].copy())
    np.testing.assert_allclose(np.array(divergence), ((there + back) / 2).numpy(), rtol=1e-4, atol=1e-5)


def test_clipping_by_the_global_norm_is_torchs() -> None:
    random = np.random.default_rng(0)
    gradients = [random.normal(size=shape).astype(np.float32) for shape in ((3, 4), (5,))]
    parameters = [torch.nn.Parameter(torch.zeros(gradient.shape)) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = torch.tensor(gradient)
    torch.nn.utils.clip_grad_norm_(parameters, 0.7)
    (clip,) = regzoo.parse("gradient_clip(0.7)").regularizers
    ours: Any = clip.gradients(lambda: [tf.constant(gradient) for gradient in gradients], [])  # type: ignore[attr-defined]
    for mine, parameter in zip(ours, parameters, strict=True):
        np.testing.assert_allclose(np.array(mine), parameter.grad.numpy(), rtol=1e-5)  # PyTorch adds 1e-6 to the norm
