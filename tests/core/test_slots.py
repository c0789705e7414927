"""A weight that multiplies inputs is a kernel."""

from __future__ import annotations

import pytest

from regzoo.core import Weight


@pytest.mark.parametrize(("shape", "kernel"), [((64, 10), True), ((3, 3, 1, 8), True), ((10,), False), ((), False)])
def test_kernels_are_of_rank_two_and_more(shape: tuple[int, ...], kernel: bool) -> None:
    assert Weight("dense_0/kernel", shape).kernel is kernel
