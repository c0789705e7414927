"""Run a comparison: steps apart, resumed ledgers of older formats, what is published and what is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from regzoo.comparison import runner
from regzoo.comparison.check import check_models
from regzoo.comparison.leaderboard import read_leaderboard
from regzoo.comparison.progress import SilentProgress
from regzoo.comparison.setup import make_setup
from regzoo.config import from_keywords, load_config
from regzoo.core import EnvironmentFailure, InputError
from regzoo.data.prepared import PreparedData
from regzoo.execution.serial import SerialExecutor
from regzoo.storage.ledger import FILE, Ledger
from regzoo.training.records import Record

FIXTURES = Path(__file__).parents[1] / "fixtures"


def resume(name: str, folder: Path, progress: SilentProgress | None = None) -> list[Path]:
    """Resume a copy of a fixture in ``folder``; return the folders that were published."""
    experiment = load_config(FIXTURES / f"{name}.yaml")
    published: list[Path] = []
    runner.run_comparison(
        experiment,
        lambda inputs: runner.read_data(experiment, inputs),
        folder,
        workers=0,
        fresh=False,
        progress=progress or SilentProgress(),
        command="regzoo compare",
        publish=published.append,
    )
    return published


@pytest.mark.parametrize("name", ["format_1", "format_1_folds"])
def test_a_ledger_of_format_1_resumes_without_a_new_run(
    name: str, tensorflow: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a run is made again")

    monkeypatch.setattr(SerialExecutor, "start", refuse)
    folder = Path(shutil.copytree(FIXTURES / name, tmp_path / name))
    with Ledger(folder) as ledger:
        before, earlier = ledger.records(), ledger.get_comparison_info()
    assert resume(name, folder) == [folder]
    with Ledger(folder) as ledger:
        after, info, leaderboard = ledger.records(), ledger.get_comparison_info(), read_leaderboard(ledger)
    assert after == before
    assert leaderboard.to_csv() == (FIXTURES / name / "leaderboard.csv").read_text(encoding="utf-8")
    assert earlier is not None
    assert info is not None
    assert (info.interim_analyses, info.data, info.model) == (earlier.interim_analyses, earlier.data, earlier.model)
    assert info.seconds is not None
    assert info.seconds > (earlier.seconds or 0.0)


def test_prepare_writes_nothing_and_execute_makes_every_run(tensorflow: None, tmp_path: Path) -> None:
    experiment = load_config(FIXTURES / "format_1.yaml").as_of_older_version()
    folder = tmp_path / "comparison"
    with runner.make_executor(0, 60.0) as executor:
        comparison = runner.prepare(experiment, lambda inputs: runner.read_data(experiment, inputs), executor, folder)
        assert list(tmp_path.iterdir()) == []
        folder.mkdir()
        runner.execute(comparison, folder, executor, SilentProgress(), "regzoo compare")
    with Ledger(folder) as ledger:
        stages = [record.run.stage for record in ledger.records()]
        assert stages.count("trial") + stages.count("replicate") == comparison.plan.runs
        assert [row.status for row in read_leaderboard(ledger).recipes] == ["ok"] * 4
        assert ledger.get_comparison_info() is not None
    assert {path.name for path in folder.iterdir()} <= {"config.yaml", "ledger.sqlite"}


class Sabotage(SilentProgress):
    """Progress that calls a function after the second new record."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act, self.new = act, 0

    def update(self, record: Record, repeated: bool) -> None:
        self.new += not repeated
        if self.new == 2:
            self.act()


@pytest.mark.parametrize(
    "what",
    ["removed", *(pytest.param(what, marks=pytest.mark.slow) for what in ("renamed", "replaced", "lock", "ledger"))],
)
def test_what_is_taken_away_during_the_runs_ends_them(what: str, tensorflow: None, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "e", tmp_path / "elsewhere"

    def act() -> None:
        if what == "lock":
            (folder / ".regzoo-lock").unlink()
        elif what == "ledger":
            (folder / FILE).rename(tmp_path / FILE)
        else:
            folder.rename(elsewhere)
        if what == "replaced":
            shutil.copytree(FIXTURES / "format_1", folder)

    progress = Sabotage(act)
    with pytest.raises(EnvironmentFailure, match=r"was (removed, renamed|deleted)"):
        resume("format_1", folder, progress)
    assert progress.new == 2
    assert folder.exists() == (what not in ("removed", "renamed"))
    assert not list(tmp_path.rglob("*.regzoo-*"))
    if what == "replaced":
        before = {path.name: path.read_bytes() for path in (FIXTURES / "format_1").iterdir()}
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    if what == "lock":
        assert resume("format_1", folder) == [folder]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_that_cannot_be_used_is_refused_before_the_data_is_read(fresh: bool, tmp_path: Path) -> None:
    def read() -> PreparedData:
        raise AssertionError("the data is read")

    (tmp_path / "thesis.txt").write_text("years of work")
    experiment = load_config(FIXTURES / "format_1.yaml")
    options = {"workers": 0, "fresh": fresh, "progress": SilentProgress(), "command": "regzoo compare"}
    with pytest.raises(InputError, match=r"holds 'thesis\.txt' and no comparison"):
        runner.run_comparison(experiment, read, tmp_path, **options)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "backbone",
    [
        "mlp([99999999999999999999])",
        pytest.param("mlp([1000000000000])", marks=pytest.mark.slow),
    ],  # TensorFlow waits 10 s
)
def test_a_network_beyond_every_machine_is_refused(tensorflow: None, backbone: str) -> None:
    experiment = from_keywords(data={"source": "iris"}, backbone=backbone, recipes=["none"])
    setup = make_setup(experiment, runner.read_data(experiment))
    with pytest.raises(InputError, match=r"recipes: none: mlp\(.*\) cannot be built on this machine: "):
        check_models(experiment, setup)
