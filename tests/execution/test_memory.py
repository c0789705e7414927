"""Memory: a quarter of the machine's, shared out."""

from __future__ import annotations

from pathlib import Path

import pytest

from regzoo.execution.memory import share_of_memory


def test_workers_share_a_quarter_of_the_machines_memory() -> None:
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024  # MemTotal, in kB
    assert share_of_memory(1) == pytest.approx(total / 4, rel=1e-3)
    assert share_of_memory(3) == pytest.approx(total / 12, rel=1e-3)
