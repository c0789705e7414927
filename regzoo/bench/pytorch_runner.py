"""PyTorch: the cases of `regzoo bench` in an eager loop, for a table beside its own. PyTorch is no dependency.

    regzoo bench --out bench.json
    python tests/bench_pytorch.py bench.json --threads 2      # in an environment with torch alone

Networks, rows, batches, epochs, Adam, dropout after every activation and validation after every epoch are those that
the JSON file names; the numbers are random, the arithmetic is the same. Prints JSON: for each case seconds per run
and steps per second, the first run left out, and how many times as fast each of regzoo's ways was.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

EVALUATED = 1024


def network(case: dict[str, Any], rate: float) -> nn.Sequential:
    """The case's network, with logits for outputs."""
    height, width, channels = case["input_shape"]
    layers: list[nn.Module] = []
    for count in case["filters"]:
        layers += [nn.Conv2d(channels, count, 3, padding=1), nn.ReLU(), nn.Dropout(rate), nn.MaxPool2d(2)]
        height, width, channels = height // 2, width // 2, count
    layers.append(nn.Flatten())
    units = height * width * channels
    for count in case["widths"]:
        layers += [nn.Linear(units, count), nn.ReLU(), nn.Dropout(rate)]
        units = count
    return nn.Sequential(*layers, nn.Linear(units, case["classes"]))


def rows(case: dict[str, Any], count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random standardized images (count, channels, height, width) and labels (count,)."""
    random = torch.Generator().manual_seed(seed)
    height, width, channels = case["input_shape"]
    x = torch.randn((count, channels, height, width), generator=random)
    return x, torch.randint(case["classes"], (count,), generator=random)


def train(case: dict[str, Any], rate: float, seed: int, work: dict[str, Any]) -> float:
    """Train one run as one writes it in PyTorch; return its seconds."""
    torch.manual_seed(seed)
    x, y = rows(case, work["train_rows"], seed=0)
    held_x, held_y = rows(case, work["train_rows"] // 3, seed=1)  # 60 % train, 20 % validate
    began = time.perf_counter()
    model, loss = network(case, rate), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=case["learning_rate"])
    steps = 0
    for _ in range(work["epochs"]):
        model.train()
        for batch in torch.randperm(len(x)).split(case["batch_size"]):
            optimizer.zero_grad()
            loss(model(x[batch]), y[batch]).backward()
            optimizer.step()
            steps += 1
        model.eval()
        with torch.no_grad():
            parts = list(zip(held_x.split(EVALUATED), held_y.split(EVALUATED), strict=True))
            sum(loss(model(part), labels).item() * len(part) for part, labels in parts)
    seconds = time.perf_counter() - began
    assert steps == work["steps"], f"{case['name']}: {steps} steps, the others take {work['steps']}"
    shapes = sorted(p.numel() for p in model.parameters())
    assert shapes == sorted(torch.Size(shape).numel() for shape in work["weights"]), f"{case['name']}: another network"
    return seconds


def measure(case: dict[str, Any], runs: int) -> dict[str, Any]:
    """Train ``runs`` runs with the rates in turn, after one that warms up."""
    ways = {way["way"]: way for way in case["ways"] if way["status"] == "ok"}
    work = next(iter(ways.values()))["work"]
    rates = [case["rates"][run % len(case["rates"])] for run in range(runs + 1)]
    seconds = [train(case, rate, seed, work) for seed, rate in enumerate(rates)]
    each = sum(seconds[1:]) / runs
    return {
        "case": case["name"],
        "threads": torch.get_num_threads(),
        "runs": runs,
        "seconds_per_run": each,
        "steps_per_second": work["steps"] / each,
        "regzoo_times_as_fast": {
            name: each / way["seconds_per_run"] for name, way in ways.items() if name.startswith("regzoo")
        },
    }


def main() -> None:
    """Read the report of `regzoo bench`, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path, help="what `regzoo bench --out` wrote")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of PyTorch's operations")
    parser.add_argument("--runs", type=int, default=3, help="of each case, after one that warms up")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cases = json.loads(options.report.read_text(encoding="utf-8"))["cases"]
    found = [measure(case, options.runs) for case in cases]
    print(json.dumps({"torch": torch.__version__, "cases": found}, indent=2))


if __name__ == "__main__":
    main()
