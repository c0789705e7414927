"""Spawned processes: what they do not import, and scripts without a main guard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WORKER = """
import sys
from regzoo.execution.spawn import set_up_worker

set_up_worker(())
import gc
assert gc.isenabled() and gc.get_freeze_count() > 100_000
import keras
assert "sklearn" not in sys.modules, "Keras imported it"
import sklearn.base, matplotlib.pyplot, pandas
"""

SCRIPT = """
import sys
import numpy as np
import regzoo

y = np.arange(60) % 3
x = np.random.default_rng(0).normal(size=(60, 4)) + y[:, None]
result = regzoo.compare(x, y, backbone="mlp([4])", recipes=["none", "l2(0.1)"], vary=["seed"], replicates=2, workers=1,
                        training={"epochs": 2, "learning_rate": 0.01})
print(len(result.leaderboard), result.best, result.folder)
"""


@pytest.mark.slow
def test_a_worker_does_not_import_what_training_does_not_need_but_can() -> None:
    done = subprocess.run([sys.executable, "-c", WORKER], check=False)
    assert done.returncode == 0


@pytest.mark.slow
def test_a_script_without_a_main_guard_compares(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900
    )
    assert (done.returncode, done.stderr) == (0, "")
    count, best, folder = done.stdout.split()  # printed once: a worker did not run the script again
    assert (count, best in ("none", "l2(0.1)")) == ("2", True)
    assert not Path(folder).exists()  # as out= was not given, nothing is left
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]
