"""What many tests share: a quiet TensorFlow on one thread, tiny data, one finished comparison."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import gc
import os
import re
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

# Subprocesses inherit these. One thread, so that sums are taken in the same order here as in a worker.
os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

NEEDS_TENSORFLOW = re.compile(r"keras|tensorflow")

COLUMNS = ("age", "mean radius (µm)", "Mean_Radius", "2nd visit", "class")
"""Names as tables have them; TensorFlow takes only the first and the third as they are."""

CONFIG = """\
name: flowers
data: {csv: flowers.csv, target: kind}
backbone: mlp([8])
recipes: [none, dropout, l2(0.001), ensemble(2)]
training: {epochs: 3, batch_size: 16}
search: {trials: 2}
vary: [seed]
replicates: 3
"""


@contextlib.contextmanager
def _unwarned() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _import_tensorflow() -> None:
    """Import what is slow and warns of its own deprecations, once; our own warnings stay errors."""
    from regzoo.execution.tf_runtime import import_tensorflow

    first = "keras_tuner" not in sys.modules
    with _unwarned():
        import_tensorflow()
        import keras_tuner  # noqa: F401
    if first:
        gc.freeze()  # a collection would look through all of TensorFlow's objects, a third of a second each time


def pytest_configure(config: pytest.Config) -> None:
    """Keras 3.15 hands its variables to NumPy 2 in a way that NumPy has begun to deprecate; Keras has to fix that."""
    config.addinivalue_line("filterwarnings", "ignore:__array__ implementation doesn't:DeprecationWarning:keras")


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """Before a test file that names Keras or TensorFlow is imported, import them."""
    if _needs_tensorflow(module_path):
        _import_tensorflow()


@functools.cache
def _needs_tensorflow(path: Path) -> bool:
    return NEEDS_TENSORFLOW.search(path.read_text(encoding="utf-8")) is not None


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let processes that the test starts hear Ctrl-C: a background job is started deaf to it, and so are its own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def no_scope_left() -> Iterator[None]:
    """Fail a test that leaves a name scope open: every later model of this process would have weights inside of it."""
    yield
    if "keras" in sys.modules:
        scopes = _get_name_scopes()
        left = [scope.name for scope in scopes]
        scopes.clear()
        assert not left, f"the test leaves name scopes open: {left}"


def _get_name_scopes() -> list[Any]:
    from keras.src.backend.common import global_state

    scopes: list[Any] = global_state.get_global_attribute("name_scope_stack", default=[], set_to_default=True)
    return scopes


@pytest.fixture(scope="session")
def tensorflow() -> None:
    """For tests that reach TensorFlow without naming it."""
    _import_tensorflow()


def blobs(rows: int = 60, features: int = 5, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clusters: float32 (rows, features), and int64 class numbers (rows,) in turn."""
    random = np.random.default_rng(seed)
    y = np.arange(rows) % classes
    centers = 2.0 * random.normal(size=(classes, features))
    return (centers[y] + random.normal(size=(rows, features))).astype(np.float32), y.astype(np.int64)


@pytest.fixture(scope="session")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """60 rows of 5 features in 3 classes."""
    return blobs()


@pytest.fixture(scope="session")
def images() -> tuple[np.ndarray, np.ndarray]:
    """60 images of 8 x 8 pixels in 3 classes."""
    x, y = blobs(features=64)
    return x.reshape(-1, 8, 8, 1), y


@pytest.fixture(scope="session")
def numbers() -> tuple[np.ndarray, np.ndarray]:
    """60 rows of 5 features and a noisy sum of them, far from zero: float64 (60,)."""
    random = np.random.default_rng(1)
    x = random.normal(size=(60, 5)).astype(np.float32)
    return x, 300.0 + 50.0 * x.sum(1, dtype=np.float64) + random.normal(size=60)


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """100 rows of columns with awkward names, and their kind as text."""
    x, y = blobs(rows=100, seed=2)
    return pd.DataFrame(x, columns=list(COLUMNS)).assign(kind=np.array(["rose", "lily", "iris"])[y])


HOSTILE = ("<script>alert(1)</script>", '=HYPERLINK("x","y")', "[red]\x1b[31mred[/red]", "`code` | *x* " + "long" * 500)
"""Words that HTML, a spreadsheet, a terminal or Markdown would obey."""


def visits(rows: int = 120) -> pd.DataFrame:
    """A table with columns of every kind, gaps in each, commas, hostile words and a rare class."""
    random = np.random.default_rng(3)
    y = np.arange(rows) % 2
    frame = pd.DataFrame(
        {
            "age": np.round(40 + 20 * y + 5 * random.normal(size=rows), 1),
            "town": np.array(["Berlin, Mitte", "Köln", *HOSTILE[:3]])[random.integers(0, 5, rows)],
            "member": random.random(rows) < 0.3 + 0.4 * y,
            "first seen": [f"20{20 + n % 4}-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(rows)],
            "<b>code</b>": [f"{n % 3:03}" for n in range(rows)],
            "note": [f"{HOSTILE[n % 4]} {n}" for n in range(rows)],
        }
    )
    frame["town"] = frame["town"].where(random.random(rows) > 0.02, "Ulm")  # rare
    for column in ("age", "town", "member", "first seen"):
        frame[column] = frame[column].astype(object).where(random.random(rows) > 0.1, None)
    kinds = np.array(['=cmd|"/c calc"!A1', "<i>b</i>"], dtype=object)[y]
    kinds[:4] = "[bold]rare[/bold]"
    return frame.assign(kind=kinds)


@dataclass(frozen=True)
class Comparison:
    """A comparison on disk, and what it was made from."""

    folder: Path
    config: Path
    table: pd.DataFrame


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Fill a folder once for all processes of pytest: who asks for ``name`` first calls ``make`` with the folder."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def call(name: str, make: Callable[[Path], object]) -> Path:
        folder = shared / f"shared-{name}"
        with (shared / f"shared-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "done").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                (folder / "done").touch()
        return folder

    return call


def make_comparison(config: Path, folder: Path) -> None:
    """Make the comparison of ``config`` in ``folder``, in this process."""
    from regzoo.comparison import runner
    from regzoo.comparison.progress import SilentProgress
    from regzoo.config import load_config
    from regzoo.publish import publish

    experiment = load_config(config)
    options: dict[str, Any] = {
        "workers": 0,
        "fresh": False,
        "progress": SilentProgress(),
        "command": "regzoo compare",
    } | {"publish": publish}
    runner.run_comparison(experiment, lambda inputs: runner.read_data(experiment, inputs), folder, **options)


@pytest.fixture(scope="session")
def config(table: pd.DataFrame, made_once: Any) -> Path:
    """A config next to its table."""

    def make(folder: Path) -> None:
        table.to_csv(folder / "flowers.csv", index=False)
        (folder / "flowers.yaml").write_text(CONFIG, encoding="utf-8")

    folder: Path = made_once("config", make)
    return folder / "flowers.yaml"


@pytest.fixture(scope="session")
def finished(
    tensorflow: None,
    config: Path,
    table: pd.DataFrame,
    made_once: Any,
    sparing: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Comparison:
    """A finished comparison, this process's own copy. Read it; do not write to it."""

    def make(folder: Path) -> None:
        with sparing(pictures=False):  # the same comparison by the command line is proven
            make_comparison(config, folder / "flowers")

    made = made_once("finished", make)
    return Comparison(shutil.copytree(made / "flowers", tmp_path_factory.mktemp("reports") / "flowers"), config, table)


@pytest.fixture(scope="session")
def mixed(tensorflow: None, made_once: Any, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """A finished comparison on a CSV file with columns of every kind, a copy as above. Read it; do not write to it."""
    table = visits()

    def make(folder: Path) -> None:
        table.to_csv(folder / "<b>visits.csv", index=False)
        (folder / "visits.yaml").write_text(
            "name: visits\ndata: {csv: <b>visits.csv, target: kind}\nbackbone: mlp([8])\nrecipes: [none]\n"
            "training: {epochs: 5, batch_size: 16, learning_rate: 0.01}\nreplicates: 2\n",
            encoding="utf-8",
        )
        make_comparison(folder / "visits.yaml", folder / "visits")

    made = made_once("mixed", make)
    copy = shutil.copytree(made / "visits", tmp_path_factory.mktemp("mixed") / "visits")
    return Comparison(copy, made / "visits.yaml", table)


@pytest.fixture(scope="session")
def sparing() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """Return what spares, while it is open, the process that proves an exported model, and the pictures of the report.

    They are most of the time that a small comparison takes. tests/export proves models, tests/report looks at pictures,
    and a comparison of tests/cli/commands/test_compare.py has both.
    """

    @contextlib.contextmanager
    def spare(*, proof: bool = True, pictures: bool = True) -> Iterator[None]:
        from regzoo.report import render

        def leave_empty(name: str, module: Any, info: Any) -> render.RenderedFigure:
            return render.RenderedFigure(
                name, module.TITLE, info.reading, Markup("" if info.missing else "<svg></svg>"), info.missing
            )

        with pytest.MonkeyPatch.context() as patch:
            if proof:
                from regzoo.export import export
                from regzoo.export.verify import Parity

                patch.setattr(export, "verify_parity", lambda *_: Parity(1, (1, 7), 0.0, True))
            if pictures:
                patch.setattr(render, "_render_figure", leave_empty)
            yield

    return spare


@pytest.fixture
def unverified(sparing: Any) -> Iterator[None]:
    """Spare the process that proves an exported model, and the pictures, see `sparing`."""
    with sparing():
        yield


LONGEST = ("test_faults.py", "test_chaos.py", "test_corruption.py")
"""Files whose slow tests take minutes: they come first, since all tests of a file run in one process."""

SLOW = ("regularizers", "backbones", "test_attach.py")
"""The zoo's own tests take minutes: they are behind the marker that CI runs once, as is the contract for all of it."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import the zoo's own tests only if they are to run or are asked for by their path: that takes a second or two."""
    here = Path(__file__).parent
    everything = {config.rootpath / path for path in config.args} == {here}
    unwanted = config.option.markexpr == "not slow" and collection_path.parent == here and collection_path.name in SLOW
    return True if everything and unwanted else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage neither while tests are collected nor among them: they stay as long as the process."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the zoo's own tests; begin with the files that take long, so that no process waits for another."""
    here = Path(__file__).parent
    items.sort(key=lambda item: (item.path.name not in LONGEST, not _needs_tensorflow(item.path)))
    for item in items:
        if set(item.path.relative_to(here).parts) & set(SLOW):
            item.add_marker("slow")
