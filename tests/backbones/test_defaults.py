"""What each backbone is by default."""

from __future__ import annotations

import pytest

from regzoo.core import backbones

DEFAULTS = {
    "autoencoder": {"widths": (128,), "code": 32, "activation": "relu"},
    "cnn": {"filters": (32, 64), "dense": 128, "activation": "relu"},
    "linear": {},
    "mlp": {"widths": (256, 256), "activation": "relu", "residual": False},
    "resnet": {"filters": (16, 32, 64), "blocks": 2, "activation": "relu"},
    "transformer": {"width": 64, "depth": 2, "heads": 4, "hidden": 128, "patch": 0, "activation": "gelu"},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_backbone_has_these_defaults(name: str) -> None:
    assert {field: value for field, value in vars(backbones()[name]()).items() if field != "name"} == DEFAULTS[name]


def test_all_of_them_are_here() -> None:
    assert sorted(DEFAULTS) == sorted(backbones())
