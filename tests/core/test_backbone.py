"""The base class of backbones cannot be instantiated without its method."""

from __future__ import annotations

import pytest

from regzoo.core import Backbone


def test_a_backbone_must_build_something() -> None:
    class Empty(Backbone):
        """Builds nothing."""

    assert Empty.name == "empty"
    with pytest.raises(TypeError, match=r"abstract method '?__call__'?"):
        Empty()  # type: ignore[abstract]  # what is tested
