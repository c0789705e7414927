"""The PyTorch script, as far as it goes without PyTorch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from regzoo.bench import pytorch_runner


def test_without_pytorch_it_tells_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["pytorch_runner", "bench.json"])
    with pytest.raises(SystemExit) as exited:
        pytorch_runner.main()
    assert exited.value.code == 2
    assert "PyTorch is not installed: pip install torch" in capsys.readouterr().err


def test_help_needs_neither_pytorch_nor_tensorflow() -> None:
    script = (
        "import contextlib, runpy, sys; sys.argv = ['bench', '--help']\n"
        "with contextlib.suppress(SystemExit): runpy.run_module('regzoo.bench.pytorch_runner', run_name='__main__')\n"
        "assert not {'torch', 'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "--threads" in done.stdout


@pytest.mark.slow
def test_it_trains_the_network_of_the_case() -> None:
    """Only where PyTorch is installed: steps and weights are checked against those of the report."""
    pytest.importorskip("torch")
    case = {
        "name": "tiny", "input_shape": [8, 8, 1], "filters": [2], "widths": [3], "classes": 4, "rates": [0.5, 0.0],
        "batch_size": 16, "learning_rate": 0.001,
        "ways": [{"way": "regzoo_1", "status": "ok", "seconds_per_run": 1.0, "work": {
            "train_rows": 36, "epochs": 2, "steps": 6,
            "weights": [[2], [3], [3, 3, 1, 2], [3, 4], [4], [32, 3]],
        }}],
    }  # fmt: skip
    found = pytorch_runner.measure_case(case, runs=1)
    assert found["regzoo_times_as_fast"] == {"regzoo_1": found["seconds_per_run"]}
    case["ways"][0]["work"]["steps"] = 5  # type: ignore[index]
    with pytest.raises(RuntimeError, match="6 steps instead of 5"):
        pytorch_runner.measure_case(case, runs=1)
