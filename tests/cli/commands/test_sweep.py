"""``regzoo sweep``: the comparison that it writes, its response, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
ListKeys = Callable[[Path], list[str]]


@pytest.mark.usefixtures("no_workers", "unverified", "tensorflow")
@pytest.mark.slow
@pytest.mark.usefixtures("no_workers", "unverified")
def test_a_sweep_writes_a_comparison_its_response_and_trains_nothing_twice(
    list_keys: ListKeys, run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("sweep", config, "--over", "dropout.rate", "--values", "0,0.5")
    code, out, err = run(*command)
    folder = tmp_path / "reports" / "flowers-dropout.rate"
    assert code == 0, err
    assert "Best dropout.rate: 0" in out
    assert re.search(r"^ *0\.5 +\d\.\d+ ± ", out, re.MULTILINE)
    response = json.loads((folder / "sweep.json").read_text(), parse_constant=pytest.fail)
    assert [point["values"] for point in response["points"]] == [[0.0], [0.5]]
    assert [point["replicates"] for point in response["points"]] == [3, 3]
    assert response["points"][0]["mean"] == response["baseline"]["mean"]  # a rate of 0 does nothing, on the same seeds
    assert (folder / "figures" / "sweep.svg").is_file()
    assert "--over dropout.rate --values 0,0.5" in (folder / "report.html").read_text()
    before = list_keys(folder / "ledger.sqlite")
    assert len(before) == 15  # three recipes of two trials (of the learning rate) and three replicates

    code, again, _ = run(*command)
    assert (code, again) == (0, out)
    assert list_keys(folder / "ledger.sqlite") == before
    assert run("sweep", config, "--over", "dropout.rate", "--values", "0,0.25,0.5")[0] == 0
    assert list_keys(folder / "ledger.sqlite")[:15] == before
    assert len(list_keys(folder / "ledger.sqlite")) == 20
    leaderboard = json.loads(run("leaderboard", folder, "--json")[1])
    assert {row["name"] for row in leaderboard["recipes"]} == {"none", "dropout(0.0)", "dropout(0.25)", "dropout(0.5)"}
    (folder / "sweep.json").unlink()
    assert run("report", folder)[0] == 0
    assert len(json.loads((folder / "sweep.json").read_text())["points"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--over", "dropuot.rate"], "over: there is no strength 'dropuot.rate'. Did you mean 'dropout.rate'?"),
        (["--over", "dropout.rate", "--values", "0,2"], "values: dropout.rate must lie in [0, 1], received 2"),
        (["--over", "dropout.rate", "--values", "0..0.5"], "received a range: list numbers, as 0,0.1,0.2"),
    ],
)
def test_a_wrong_sweep_ends_with_2_and_nothing_is_written(
    arguments: list[str], message: str, run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("sweep", config, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["compare"], ["sweep", "--over", "dropout.rate"]])
def test_starting_over_and_retrying_exclude_each_other(arguments: list[str], run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\ndata: {source: iris}\nbackbone: mlp\nrecipes: [dropout]\n")
    name, *rest = arguments
    code, out, err = run(name, tmp_path / "a.yaml", *rest, "--out", tmp_path / "a", "--fresh", "--retry-failed")
    assert (code, out) == (2, "")
    assert "fresh starts over, so there is no failed run to make again" in err
    assert not (tmp_path / "a").exists()
