"""The command line: what it prints, what it writes, and with which code it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from regzoo.cli import app as cli
from regzoo.core import regularizers
from regzoo.storage.folder import lock_folder
from regzoo.training.metrics import METRICS

QUICK = """
import sys
from regzoo.cli.app import main
for arguments in sys.argv[1:]:
    sys.argv = ["regzoo", *arguments.split("|")]
    try:
        main()
    except SystemExit as done:
        assert not done.code, done.code
slow = {"tensorflow", "keras", "keras_tuner"} & set(sys.modules)
assert not slow, slow
"""
"""Each argument is a command line, its words joined by ``|``."""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Call ``regzoo`` in this process: its exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["regzoo", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as done:
            cli.main()
        said = capfd.readouterr()
        return int(done.value.code or 0), said.out, said.err

    return call


def process(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "regzoo", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=900)


@pytest.fixture
def copied(finished: Any, tmp_path: Path) -> Path:
    """A finished comparison to write to."""
    return Path(shutil.copytree(finished.folder, tmp_path / "flowers"))


# --- the main job, in processes of its own


@pytest.fixture(scope="module")
def compared(config: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """``regzoo compare`` with two workers, where no terminal is."""
    folder = tmp_path_factory.mktemp("two") / "mine"
    return folder, process("compare", config, "--out", folder, "--workers", 2)


def test_compare_writes_every_file_of_the_contract(compared: Any) -> None:
    folder, done = compared
    assert (done.returncode, done.stderr) == (0, done.stderr)
    wanted = {"config.yaml", "ledger.sqlite", "leaderboard.csv", "report.html", "report.md", "figures", "model"}
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == wanted
    assert {path.name for path in (folder / "model").iterdir()} >= {"saved_model.pb", "recipe.json", "README.md"}
    assert list((folder / "figures").glob("*.svg"))
    assert not re.search(r"(src|href)=.https?://", (folder / "report.html").read_text(encoding="utf-8"))


def test_compare_prints_the_leaderboard_and_nothing_of_others(compared: Any) -> None:
    folder, done = compared
    for words in ("none", "dropout(", "l2(0.001)", "ensemble(2)", "winner", f"Report: {folder}", f"Model:  {folder}"):
        assert words in done.stdout.replace("\n", " ")
    progress = r"preparing: .*|\d+ of 20 runs, .*|writing the report.*"
    assert [line for line in done.stderr.splitlines() if not re.fullmatch(progress, line)] == []
    for word in ("tensorflow/", "keras_tuner", "WARNING", "Trial", "oneDNN", "\x1b"):
        assert word not in done.stdout + done.stderr


def test_two_workers_elsewhere_give_the_same_bytes_as_this_process(compared: Any, finished: Any) -> None:
    assert (compared[0] / "leaderboard.csv").read_bytes() == (finished.folder / "leaderboard.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_by_ctrl_c_it_goes_on_and_ends_the_same(config: Path, finished: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "regzoo", "compare", str(config), "--workers", "1"]
    ledger = tmp_path / "reports" / "flowers" / "ledger.sqlite"
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as first:
        while len(keys(ledger)) < 5 and first.poll() is None:
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGINT)  # a terminal sends it to the workers as well
        out, err = first.communicate(timeout=300)
    assert first.returncode == 130
    assert "Interrupted. Nothing is lost: run the same command again and it goes on." in err
    assert "Traceback" not in out + err
    before = keys(ledger)
    assert len(before) >= 5
    again = process("compare", config, "--workers", 1, "--quiet", cwd=tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    after = keys(ledger)
    assert after[: len(before)] == before
    assert len(after) == len(set(after)) == len(keys(finished.folder / "ledger.sqlite"))
    wanted = (finished.folder / "leaderboard.csv").read_bytes()
    assert (tmp_path / "reports" / "flowers" / "leaderboard.csv").read_bytes() == wanted


def keys(ledger: Path) -> list[str]:
    """The keys of the records, in the order in which they were made; none while there is no ledger."""
    if not ledger.is_file():
        return []
    store = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        return [key for (key,) in store.execute("select key from records order by number")]
    except sqlite3.OperationalError:  # the tables are being made
        return []
    finally:
        store.close()


# --- a sweep


@pytest.mark.usefixtures("unverified", "tensorflow")
def test_a_sweep_writes_a_comparison_its_response_and_trains_nothing_twice(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", here)
    command = ("sweep", config, "--over", "dropout.rate", "--values", "0,0.5")
    code, out, err = run(*command)
    folder = tmp_path / "reports" / "flowers-dropout.rate"
    assert code == 0, err
    assert "Best dropout.rate: 0" in out
    assert re.search(r"^ *0\.5 +\d\.\d+ ± ", out, re.MULTILINE)
    told = json.loads((folder / "sweep.json").read_text(), parse_constant=pytest.fail)
    assert [point["values"] for point in told["points"]] == [[0.0], [0.5]]
    assert [point["replicates"] for point in told["points"]] == [3, 3]
    assert told["points"][0]["mean"] == told["baseline"]["mean"]  # a rate of 0 does nothing, on the same seeds
    assert (folder / "figures" / "sweep.svg").is_file()
    assert "--over dropout.rate --values 0,0.5" in (folder / "report.html").read_text()
    before = keys(folder / "ledger.sqlite")
    assert len(before) == 15  # three recipes of two trials (of the learning rate) and three replicates

    code, again, _ = run(*command)
    assert (code, again) == (0, out)
    assert keys(folder / "ledger.sqlite") == before
    assert run("sweep", config, "--over", "dropout.rate", "--values", "0,0.25,0.5")[0] == 0
    assert keys(folder / "ledger.sqlite")[:15] == before
    assert len(keys(folder / "ledger.sqlite")) == 20
    board = json.loads(run("leaderboard", folder, "--json")[1])
    assert {row["name"] for row in board["recipes"]} == {"none", "dropout(0.0)", "dropout(0.25)", "dropout(0.5)"}
    (folder / "sweep.json").unlink()
    assert run("report", folder)[0] == 0
    assert len(json.loads((folder / "sweep.json").read_text())["points"]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--over", "dropuot.rate"], "over: there is no strength 'dropuot.rate'. Did you mean 'dropout.rate'?"),
        (["--over", "dropout.rate", "--values", "0,2"], "values: dropout.rate must lie in [0, 1], received 2"),
        (["--over", "dropout.rate", "--values", "0..0.5"], "received a range: list numbers, as 0,0.1,0.2"),
    ],
)
def test_a_wrong_sweep_ends_with_2_and_nothing_is_written(
    arguments: list[str], said: str, run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("sweep", config, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert list(tmp_path.iterdir()) == []


# --- how it ends


@pytest.mark.usefixtures("unverified")
def test_a_finished_comparison_is_only_read_again(
    run: Run, copied: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regzoo.execution.process_pool.ProcessPool", None)  # none is needed to see that nothing is left
    before = (copied / "leaderboard.csv").read_bytes()
    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", here)
    code, out, err = run("compare", config, "--out", copied)
    assert code == 0
    assert "winner" in out
    assert "Traceback" not in err
    assert (copied / "leaderboard.csv").read_bytes() == before


def here(count: int | None, limit: float) -> Any:
    """In place of workers: this process, which starts at once."""
    from regzoo.execution.serial import SerialExecutor

    assert count is None
    assert limit > 0
    return SerialExecutor()


@pytest.mark.usefixtures("unverified")
def test_failed_runs_end_with_1_and_the_rest_is_ranked(
    run: Run, copied: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_one(copied)
    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", here)
    code, out, err = run("compare", config, "--out", copied)
    assert code == 1
    assert "winner" in out
    assert f"some runs failed; see: regzoo failures {copied}" in err
    code, out, _ = run("failures", copied)
    assert code == 0
    assert "ValueError: out of luck" in out
    board = json.loads(run("leaderboard", copied, "--json")[1])
    assert [row["failed"] for row in board["recipes"] if row["name"] == "l2(0.001)"] == [1]


def fail_one(folder: Path) -> None:
    """Let one replicate of l2 have failed."""
    store = sqlite3.connect(folder / "ledger.sqlite")
    with store:
        number, body = store.execute(
            "select number, body from records where name = 'l2(0.001)' and stage = 'replicate' order by number limit 1"
        ).fetchone()
        record = {**json.loads(body), "status": "failed", "metrics": {}, "error": "ValueError: out of luck"}
        store.execute("update records set status = 'failed', body = ? where number = ?", (json.dumps(record), number))
    store.close()


BAD = """\
name: flowers
data: {csv: flowers.csv, target: kind}
backbone: mpl
recipes: [dropuot, l2(-1), dropout(rat=0.5)]
trainign: {epochs: 3}
seed: 1
seed: 2
replicates: 1
"""


@pytest.mark.parametrize("command", ["check", "plan", "compare"])
def test_every_problem_of_a_config_is_said_at_once_and_nothing_is_written(
    command: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(BAD)
    code, out, err = run(command, "bad.yaml")
    assert (code, out) == (2, "")
    places = re.findall(r"bad\.yaml:(\d+):(\d+): ", err)
    assert [int(line) for line, _ in places] == [3, 4, 4, 4, 5, 7, 8]
    for words in ("'mlp'", "'dropout'", "[0, inf)", "'rate'", "'training'", "written twice", "received 1"):
        assert words in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"csv: flowers.csv": "csv: nowhere.csv"}, "there is no such file"),
        ({"target: kind": "target: kin"}, "Did you mean 'kind'"),
        ({"mlp([8])": "cnn"}, "cnn needs images"),
        ({"trials: 2": "trials: 1, tuner: hyperband"}, "hyperband over 3 epochs needs"),
        ({"replicates: 3": "rank_by: rmse"}, "cannot be ranked by 'rmse'"),
    ],
)
def test_what_only_the_data_shows_ends_with_2_and_nothing_is_written(
    change: dict[str, str], said: str, run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", here)
    text = config.read_text(encoding="utf-8").replace("flowers.csv", str(config.parent / "flowers.csv"))
    for old, new in change.items():
        old = old.replace("flowers.csv", str(config.parent / "flowers.csv"))
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "flowers.yaml").write_text(text, encoding="utf-8")
    for command in ("check", "plan", "compare"):
        code, _, err = run(command, "flowers.yaml")
        assert code == 2
        assert said in err
        assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["flowers.yaml"]


def test_check_says_what_was_done_to_images(run: Run, tensorflow: None, tmp_path: Path) -> None:
    for number, name in enumerate(("cat", "dog") * 10):
        (tmp_path / "pets" / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8 + number // 19)).save(tmp_path / "pets" / name / f"{number}.png")
    (tmp_path / "pets.yaml").write_text("name: pets\ndata: {images: pets}\nbackbone: mlp\nrecipes: [l2]\n")
    code, out, err = run("check", tmp_path / "pets.yaml")
    assert (code, err) == (0, "")
    fine, repair, *_ = out.splitlines()
    assert "pets.yaml: fine." in fine
    assert "20 rows of 8 x 8 x 1 images, binary classification into cat, dog; 12 train, 4 validation, 4 test" in fine
    assert repair == "repair: 1 of 20 images (8 x 8 to 9 x 8) were resized to 8 x 8, the median height and width"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{images: nowhere}", "nowhere: there is no such folder; relative paths start at the config's folder"),
        ("{images: pets}", r"pets/cat/a\x1b[31m.png: is no PNG, JPEG, BMP or GIF image; replace or remove it"),
        ("{images: pets}", "pets: needs a folder for each class, at least two, with its images inside, received one"),
        ("{idx: pets}", "pets: holds no IDX files; needs train-images-idx3-ubyte and train-labels-idx1-ubyte"),
        ("{keras: fashion_mnist}", "fashion_mnist is not in Keras's cache: "),
        ("{keras: cifar10}", "cifar10 is not in Keras's cache: "),
    ],
)
def test_images_that_cannot_be_read_end_with_2_and_nothing_is_written(
    data: str, said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("regzoo.comparison.runner.import_tensorflow", lambda: None)  # it is not reached
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "a\x1b[31m.png").write_text("hello")
    (tmp_path / "pets.yaml").write_text(f"name: pets\ndata: {data}\nbackbone: cnn\nrecipes: [l2]\n")
    for command in ("check", "compare"):
        code, out, err = run(command, "pets.yaml")
        assert (code, out) == (2, "")
        assert said in err
        assert "Traceback" not in err
        assert "\x1b" not in err
    assert {path.name for path in tmp_path.iterdir()} == {"pets", "pets.yaml"}


def test_a_folder_of_something_else_ends_with_2_and_stays(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", here)
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, err = run("compare", config, "--out", tmp_path)
    assert code == 2
    assert "holds 'thesis.txt' and no comparison" in err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_in_use_ends_with_3(run: Run, copied: Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", here)
    with lock_folder(copied):
        for more in ([], ["--fresh"]):
            code, _, err = run("compare", config, "--out", copied, *more)
            assert code == 3
            assert f"Failed: {copied} is in use by process {os.getpid()}" in err


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError("too large")])
def test_a_failing_machine_ends_with_3(
    error: Exception, run: Run, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("regzoo.result.write_report", fail)
    code, _, err = run("report", copied)
    assert code == 3
    assert f"Failed: {error}" in err
    assert ("make room and run the same command again" in err) == isinstance(error, OSError)
    assert "Traceback" not in err


INTERRUPTED = """
import runpy, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
runpy.run_module("regzoo", run_name="__main__")
"""


def test_ctrl_c_while_the_command_line_is_imported_shows_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_error_of_our_own_is_shown_whole(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("regzoo.result.write_report", fail)
    monkeypatch.setattr(sys, "argv", ["regzoo", "report", str(copied)])
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.usefixtures("unverified")
def test_fresh_moves_the_old_comparison_aside(
    run: Run, copied: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", here)
    text = config.read_text(encoding="utf-8").replace("epochs: 3", "epochs: 1").replace("trials: 2", "trials: 1")
    (config.parent / "shorter.yaml").write_text(text, encoding="utf-8")
    code, _, err = run("compare", config.parent / "shorter.yaml", "--out", copied)
    assert code == 2
    assert "epochs: 3" in err
    assert "epochs: 1" in err
    old = (copied / "leaderboard.csv").read_bytes()
    code, out, _ = run("compare", config.parent / "shorter.yaml", "--out", copied, "--fresh", "--quiet")
    assert (code, out) == (0, "")
    assert (copied.with_name("flowers.1") / "leaderboard.csv").read_bytes() == old
    assert (copied / "leaderboard.csv").read_bytes() != old


@pytest.mark.parametrize(
    "arguments", [["compare"], ["copmare"], ["compare", "c.yaml", "--workers", "0"], ["leaderboard", "d", "--jsn"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], run: Run) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["leaderboard", "failures", "report", "export"])
def test_a_folder_without_a_comparison_ends_with_2(command: str, run: Run, tmp_path: Path) -> None:
    more = ["--to", tmp_path / "model"] if command == "export" else []
    code, out, err = run(command, tmp_path / "nowhere", *more)
    assert (code, out) == (2, "")
    assert "holds no comparison" in err
    assert list(tmp_path.iterdir()) == []


# --- looking things up


def test_help_imports_nothing_that_takes_time() -> None:
    """Help took .13 s of processor where this was written; half a second is kept by what it does not import."""
    script = f"{QUICK}slow = {{'numpy', 'pandas', 'pydantic', 'yaml', 'keras', 'matplotlib'}} & set(sys.modules)\n"
    script += "assert not slow, slow\n"
    done = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True)
    for command in ("zoo", "check", "plan", "compare", "leaderboard", "failures", "report", "export"):
        assert command in done.stdout


def test_reading_a_comparison_imports_no_tensorflow(copied: Path) -> None:
    commands = [f"leaderboard|{copied}", f"failures|{copied}", f"report|{copied}", "zoo|dropout"]
    subprocess.run([sys.executable, "-c", QUICK, *commands], capture_output=True, check=True)


def test_zoo_lists_everything(run: Run) -> None:
    code, out, err = run("zoo")
    assert (code, err) == (0, "")
    for name in (*regularizers(), "mlp", "cnn", "{source: digits}"):
        assert name in out
    listed = json.loads(run("zoo", "--json")[1])
    assert [card["name"] for card in listed["regularizers"]] == list(regularizers())


def test_zoo_prints_a_card(run: Run) -> None:
    code, out, _ = run("zoo", "dropout")
    assert code == 0
    for words in ("formula    h m", "0.05..0.7", "acts on    activations", "reference  Srivastava", "[0, 1]"):
        assert words in out
    assert json.loads(run("zoo", "dropout", "--json")[1])["places"] == ["activations"]
    code, _, err = run("zoo", "droput")
    assert code == 2
    assert "Did you mean 'dropout'?" in err


def test_check_says_what_the_data_is(run: Run, config: Path) -> None:
    code, out, err = run("check", config)
    assert (code, err) == (0, "")
    assert f"{config}: fine." in out
    assert "100 rows of 5 columns, classification into 3 labels: iris, lily, rose; 60 train, 20 validation, " in out
    assert "20 test, a stratified split; 4 recipes" in out


def test_check_says_how_folds_are_cut(run: Run, tensorflow: None, tmp_path: Path) -> None:
    path = tmp_path / "iris.yaml"
    path.write_text("name: iris\ndata: {source: iris}\nbackbone: linear\nrecipes: [l2]\nsplit: {folds: 3}\n")
    code, out, err = run("check", path)
    assert (code, err) == (0, "")
    assert "80 train, 40 validation, 30 test, a stratified split into 3 folds; 2 recipes" in out


def test_plan_says_what_will_be_trained(run: Run, config: Path) -> None:
    code, out, err = run("plan", config)
    assert (code, err) == (0, "")
    assert "20 runs, 75 epochs at most" in out  # four recipes, 2 + 3 runs of 3 epochs, one of them twice
    described = json.loads(run("plan", config, "--json")[1])
    assert (described["runs"], described["epochs"]) == (20, 75)
    assert described["seconds"] >= 0
    assert list(described["recipes"][1]["space"]) == ["learning_rate", "dropout.rate"]


def test_leaderboard_json_has_the_keys_of_the_contract(run: Run, finished: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    code, out, err = run("leaderboard", finished.folder, "--json")
    assert (code, err) == (0, "")
    board = json.loads(out, parse_constant=refuse)
    assert {"rank_by", "direction", "winner", "baseline", "recipes"} <= set(board)
    contract = {
        *("recipe", "name", "rank", "tier", "mean", "sd", "low", "high", "gain", "gain_low", "gain_high", "p_holm"),
        *("p_better", "replicates", "diverged", "failed", "metrics", "epochs", "fit_seconds", "predict_ms"),
        *("parameters", "status"),
    }
    for row in board["recipes"]:
        assert contract <= set(row)
        assert list(row["metrics"]) == ["validation", "train", "test"]
        assert set(row["metrics"]["test"]) == set(METRICS["classification"])
    assert [row["rank"] for row in board["recipes"]] == [1, 2, 3, 4]
    assert board["winner"] == board["recipes"][0]["recipe"]


def test_leaderboard_csv_is_the_file(run: Run, finished: Any) -> None:
    code, out, _ = run("leaderboard", finished.folder, "--csv")
    assert code == 0
    assert out == (finished.folder / "leaderboard.csv").read_text(encoding="utf-8")
    assert len(pd.read_csv(finished.folder / "leaderboard.csv")) == 4


def test_leaderboard_is_a_table(run: Run, finished: Any) -> None:
    code, out, err = run("leaderboard", finished.folder)
    assert (code, err) == (0, "")
    assert "winner" in out
    assert "\x1b" not in out


def test_failures_say_that_there_are_none(run: Run, finished: Any) -> None:
    assert run("failures", finished.folder) == (0, "no run failed or diverged\n", "")


def test_report_is_written_anew_from_the_records(run: Run, copied: Path) -> None:
    for name in ("report.html", "report.md", "leaderboard.csv"):
        (copied / name).unlink()
    assert run("report", copied) == (0, f"Report: {copied / 'report.html'}\n", "")
    for name in ("report.html", "report.md", "leaderboard.csv"):
        assert (copied / name).stat().st_size > 0


@pytest.mark.usefixtures("unverified")
def test_export_writes_the_recipe_that_was_asked_for(run: Run, finished: Any, tmp_path: Path) -> None:
    code, out, _ = run("export", finished.folder, "--recipe", "none", "--to", tmp_path / "model")
    assert (code, out) == (0, f"Model: {tmp_path / 'model'}\n")
    assert json.loads((tmp_path / "model" / "recipe.json").read_text(encoding="utf-8"))["recipe"] == "none"
    code, _, err = run("export", finished.folder, "--recipe", "non", "--to", tmp_path / "model")
    assert code == 2
    assert "Did you mean 'none'?" in err


def test_a_moved_comparison_still_works(run: Run, finished: Any, copied: Path) -> None:
    assert run("leaderboard", copied, "--json") == run("leaderboard", finished.folder, "--json")


def test_compare_runs_says_what_changed(run: Run, finished: Any, copied: Path) -> None:
    code, out, err = run("compare-runs", finished.folder, copied)
    assert (code, err) == (0, "")
    for said in ("config: the same", "data: the same", "versions: the same", "winner: still"):
        assert said in out
    found = json.loads(run("compare-runs", finished.folder, copied, "--json")[1])
    assert {recipe["moved"] for recipe in found["recipes"]} == {0}


def test_report_writes_every_run_for_tensorboard(run: Run, copied: Path, tmp_path: Path) -> None:
    code, out, _ = run("report", copied, "--tensorboard", tmp_path / "logs")
    assert code == 0
    assert "TensorBoard: 20 runs; look at them with: tensorboard --logdir" in out
    assert len(list((tmp_path / "logs").rglob("events*"))) == 21
