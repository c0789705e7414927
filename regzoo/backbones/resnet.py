"""Residual network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.backbones._images import LARGE, get_smaller_side
from regzoo.core import Announce, Backbone, InputError, setting
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Resnet(Backbone):
    """Stages of residual blocks of two convolutions each, then the mean over the feature map.

    Formula: x + conv(act(conv(act(x)))), the pre-activation basic block; where a stage begins, x is projected by a
    1 x 1 convolution of act(x). Every stage after the first halves height and width, as long as both are at least
    4; for images from 64 pixels on, the first convolution has stride 2, and from 128 on pooling follows.

    It contains no batch normalization: `batch_norm` is a regularizer, and acts here where the paper has it. Without it,
    small initial weights keep a deep stack of branches trainable: He initialization, with the last convolution of each
    branch divided by the square root of the number of branches, so that the variance grows at most by a factor of about
    e at any depth (De and Smith 2020).

    Slots: ``input`` (1), ``preactivation`` and ``activation`` (two of each per block, and one before the average),
    ``branch`` (one per block, before the addition).

    Args:
        filters: number of filters of the stages, first to last, each in [1, inf).
        blocks: number of blocks of each stage, in [1, inf).
        activation: nonlinearity of each layer.

    Raises:
        InputError: if the inputs are not images (height, width, channels).

    Reference: He et al. 2016 [he2016], https://arxiv.org/abs/1603.05027; De and Smith 2020 [de2020],
    https://arxiv.org/abs/2002.10444
    Departure: the paper's factor on the branch is part of the initial kernel here, not a trained scalar.

    >>> from regzoo.backbones import Resnet
    >>> print(Resnet(filters=(16, 32), blocks=3))
    resnet(filters=[16, 32], blocks=3)
    """

    filters: tuple[int, ...] = setting((16, 32, 64), domain="[1, inf)")
    blocks: int = setting(2, domain="[1, inf)")
    activation: str = setting("relu", options=("relu", "gelu", "silu", "tanh", "elu", "selu"))

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map images x (batch, height, width, channels) to features (batch, filters[-1])."""
        if len(x.shape) != 4:
            raise InputError(
                f"resnet needs images (height, width, channels), received inputs of shape {tuple(x.shape[1:])}; "
                "use mlp(residual=true) for rows; transformer, or a model of your own with Conv1D, for sequences"
            )
        x = slot("input", x)
        x = self._make_convolution(self.filters[0], 3, "conv", stride=2 if get_smaller_side(x) >= LARGE else 1)(x)
        if get_smaller_side(x) >= LARGE:
            x = keras.layers.MaxPooling2D(name="pool")(x)
        for stage, count in enumerate(self.filters):
            for block in range(self.blocks):
                stride = 2 if stage and not block and get_smaller_side(x) >= 4 else 1
                x = self._add_block(x, count, stride, f"block_{stage}_{block}", slot)
        x = self._add_activation(x, "last", slot)
        return keras.layers.GlobalAveragePooling2D(name="average")(x)

    def _add_block(self, x: Any, count: int, stride: int, name: str, slot: Announce) -> Any:
        """Map x (batch, h, w, filters) to (batch, h / stride, w / stride, count)."""
        h = self._add_activation(x, f"{name}_first", slot)
        if stride > 1 or x.shape[-1] != count:
            x = self._make_convolution(count, 1, f"{name}_shortcut", stride=stride)(h)
        h = self._make_convolution(count, 3, f"{name}_conv_0", stride=stride)(h)
        h = self._add_activation(h, f"{name}_second", slot)
        h = self._make_convolution(count, 3, f"{name}_conv_1", variance=1 / (self.blocks * len(self.filters)))(h)
        return keras.layers.Add(name=f"{name}_add")([x, slot("branch", h)])

    def _make_convolution(self, count: int, size: int, name: str, stride: int = 1, variance: float = 1.0) -> Any:
        """Return a convolution whose outputs initially have ``variance`` times the variance of its inputs."""
        gain = 1.0 if self.activation in ("tanh", "selu") else 2.0
        draw = keras.initializers.VarianceScaling(gain * variance, "fan_in", "truncated_normal")
        return keras.layers.Conv2D(count, size, stride, padding="same", kernel_initializer=draw, name=name)

    def _add_activation(self, x: Any, name: str, slot: Announce) -> Any:
        x = slot("preactivation", x)
        return slot("activation", keras.layers.Activation(self.activation, name=f"{name}_{self.activation}")(x))
