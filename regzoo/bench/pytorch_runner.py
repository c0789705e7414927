"""Train the cases of a ``regzoo bench`` report with an eager PyTorch loop, to compare regzoo with PyTorch too.

PyTorch is no dependency of regzoo: install it first. Then run

    regzoo bench --out bench.json
    python -m regzoo.bench.pytorch_runner bench.json --threads 2

Networks, number of rows, batches, epochs, Adam, dropout after every activation and validation after every epoch are
those of the report. The rows are random numbers; the arithmetic is the same. It prints JSON: per case the seconds per
run and the steps per second, without the first run, and how many times as fast each of regzoo's ways was.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

VALIDATION_BATCH = 1024
"""Rows of a validation batch, as in regzoo."""


def build_network(case: dict[str, Any], rate: float) -> nn.Sequential:
    """Return the case's network, which ends with logits."""
    from torch import nn

    height, width, channels = case["input_shape"]
    layers: list[nn.Module] = []
    for filters in case["filters"]:
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(), nn.Dropout(rate), nn.MaxPool2d(2)]
        height, width, channels = height // 2, width // 2, filters
    layers.append(nn.Flatten())
    units = height * width * channels
    for dense in case["widths"]:
        layers += [nn.Linear(units, dense), nn.ReLU(), nn.Dropout(rate)]
        units = dense
    return nn.Sequential(*layers, nn.Linear(units, case["classes"]))


def draw_rows(case: dict[str, Any], rows: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random images (rows, channels, height, width) and labels (rows,)."""
    import torch

    random = torch.Generator().manual_seed(seed)
    height, width, channels = case["input_shape"]
    x = torch.randn((rows, channels, height, width), generator=random)
    return x, torch.randint(case["classes"], (rows,), generator=random)


def train_run(case: dict[str, Any], rate: float, seed: int, work: dict[str, Any]) -> float:
    """Train one run as it is usually written in PyTorch; return its seconds.

    Raises:
        RuntimeError: if the steps or the network are not those of ``work``, so that times cannot be compared.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    x, y = draw_rows(case, work["train_rows"], seed=0)
    x_validation, y_validation = draw_rows(case, work["train_rows"] // 3, seed=1)  # 60 % train, 20 % validate
    batches = list(zip(x_validation.split(VALIDATION_BATCH), y_validation.split(VALIDATION_BATCH), strict=True))
    began = time.perf_counter()
    model, loss = build_network(case, rate), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=case["learning_rate"])
    steps = 0
    for _ in range(work["epochs"]):
        model.train()
        for rows in torch.randperm(len(x)).split(case["batch_size"]):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
            steps += 1
        model.eval()
        with torch.no_grad():
            sum(loss(model(inputs), labels).item() * len(inputs) for inputs, labels in batches)
    seconds = time.perf_counter() - began
    sizes = sorted(weights.numel() for weights in model.parameters())
    if steps != work["steps"] or sizes != sorted(torch.Size(shape).numel() for shape in work["weights"]):
        raise RuntimeError(f"{case['name']}: another network, or {steps} steps instead of {work['steps']}")
    return seconds


def measure_case(case: dict[str, Any], runs: int) -> dict[str, Any]:
    """Train ``runs`` runs with the rates in turn, after one that warms up; return speeds and ratios."""
    import torch

    ways = {way["way"]: way for way in case["ways"] if way["status"] == "ok"}
    work = next(iter(ways.values()))["work"]
    rates = [case["rates"][run % len(case["rates"])] for run in range(runs + 1)]
    seconds = [train_run(case, rate, seed, work) for seed, rate in enumerate(rates)]
    seconds_per_run = sum(seconds[1:]) / runs
    return {
        "case": case["name"],
        "threads": torch.get_num_threads(),
        "runs": runs,
        "seconds_per_run": seconds_per_run,
        "steps_per_second": work["steps"] / seconds_per_run,
        "regzoo_times_as_fast": {
            name: seconds_per_run / way["seconds_per_run"] for name, way in ways.items() if name.startswith("regzoo")
        },
    }


def main() -> None:
    """Read the report of ``regzoo bench``, measure its cases, print JSON."""
    parser = argparse.ArgumentParser(description="Train the cases of a `regzoo bench` report with PyTorch.")
    parser.add_argument("report", type=Path, help="the JSON file that `regzoo bench --out` wrote")
    parser.add_argument("--threads", type=int, help="threads of PyTorch's operations (default: PyTorch's own)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each case, after one that warms up (default: 3)")
    options = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        parser.error("PyTorch is not installed: pip install torch")
    import torch

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    cases = json.loads(options.report.read_text(encoding="utf-8"))["cases"]
    results = [measure_case(case, options.runs) for case in cases]
    print(json.dumps({"torch": torch.__version__, "cases": results}, indent=2))


if __name__ == "__main__":
    main()
