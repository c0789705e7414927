"""Settings of Keras and TensorFlow from outside: the same result, or a sentence before anything is trained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regzoo.core import EnvironmentFailure
from regzoo.execution.keras_settings import require_keras_settings

Call = Callable[..., tuple[int, str, str]]

COMMANDS = (
    "check mine.yaml",
    "plan mine.yaml",
    "compare mine.yaml",
    "sweep mine.yaml --over dropout.rate",
    "export flowers --to model",
    "bench --quick --out bench.json",
)

ENVIRONMENT = {
    "KERAS_BACKEND": ("jax", "torch", "openvino", "nonsense", "TensorFlow", "\x1b[31m"),
    "KERAS_MAX_EPOCHS": ("3", "nonsense"),
    "KERAS_MAX_STEPS_PER_EPOCH": ("1",),
}

FILES: dict[str, Any] = {
    "floatx": ("float16", "float64", "bfloat16", "nonsense", None, 32),
    "epsilon": (1e-3, "nonsense", 1, None, -1.0),
    "image_data_format": ("channels_first", "nonsense", []),
    "nnx_enabled": (True,),
}

REFUSED = [
    *((name, value, None) for name, values in ENVIRONMENT.items() for value in values),
    *((name, None, json.dumps({name: value})) for name, values in FILES.items() for value in values),
    ("keys and values", None, "[1]"),
    ("nested too deeply", None, "[" * 100_000),
]


def write_settings(folder: Path, text: str) -> Path:
    """Write a ``keras.json`` into a home of Keras."""
    folder.mkdir()
    (folder / "keras.json").write_text(text)
    return folder


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*ENVIRONMENT, "XLA_FLAGS", "TF_XLA_FLAGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))


@pytest.mark.parametrize(("word", "value", "text"), REFUSED)
def test_every_command_refuses_a_setting_by_name(
    word: str,
    value: str | None,
    text: str | None,
    one_record: Path,
    run: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(one_record)
    if value is not None:
        monkeypatch.setenv(word, value)
    if text is not None:
        monkeypatch.setenv("KERAS_HOME", str(write_settings(tmp_path / "keras", text)))
    before = sorted(one_record.rglob("*"))
    for command in COMMANDS:
        code, out, err = run(*command.split())
        assert (code, out) == (3, ""), command
        assert "Failed: " in err
        assert word in err
        assert any(way_out in err for way_out in ("unset it", "set KERAS_HOME to another folder"))
        assert "\x1b" not in err
        assert sorted(one_record.rglob("*")) == before


@pytest.mark.parametrize("text", ["", "{", "nonsense", "\x00", '{"backend": "jax"}', "{}", '{"floatx": "float32"}'])
def test_what_keras_ignores_or_the_environment_overrides_is_fine(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(write_settings(tmp_path / "keras", text)))
    monkeypatch.setenv("KERAS_BACKEND", "")
    require_keras_settings()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keras" / "keras.json").mkdir(parents=True)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(EnvironmentFailure, match=r"keras\.json: Keras cannot read its settings: Is a directory"):
        require_keras_settings()


@pytest.mark.parametrize("home", [None, "/nonexistent", "/proc", ""])
def test_a_home_that_cannot_be_used_is_fine(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.delenv("HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    require_keras_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("floatx", "float16"),
        ("epsilon", 1e-3),
        ("image_data_format", "channels_first"),
        ("dtype_policy", "mixed_float16"),
        ("dtype_policy", "bfloat16"),
    ],
)
def test_settings_of_the_users_own_script_are_refused(tensorflow: None, name: str, value: Any) -> None:
    import keras

    before = keras.config.dtype_policy().name if name == "dtype_policy" else getattr(keras.config, name)()
    try:
        getattr(keras.config, f"set_{name}")(value)
        with pytest.raises(EnvironmentFailure, match=rf"keras\.config\.{name}\(\) is .*: call .*set_{name}\("):
            require_keras_settings()
    finally:
        getattr(keras.config, f"set_{name}")(before)
    require_keras_settings()


CONFIG = """\
name: mine
data: {source: iris}
backbone: mlp([4])
recipes: [none, dropout(0.5)]
training: {epochs: 2, batch_size: 64, learning_rate: 0.01}
vary: [seed]
replicates: 2
"""

WORKS = {
    "TF_USE_LEGACY_KERAS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "nonsense",
    "TF_CPP_MAX_VLOG_LEVEL": "-1",
    "TF_CPP_VMODULE": "=,=",
    "CUDA_VISIBLE_DEVICES": "nonsense",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=false",
    "KERAS_BACKEND": "",
    "HOME": "/nonexistent",
    "KERAS_HOME": "",
}
"""None of them concerns another."""


def compare(folder: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    (folder / "mine.yaml").write_text(CONFIG)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "CUDA"))}
    command = [sys.executable, "-m", "regzoo", "compare", "mine.yaml", "--workers", "2"]
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3"} | settings
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_every_other_setting_gives_the_same_result(tmp_path: Path) -> None:
    assert compare(tmp_path / "plain", {}).returncode == 0
    expected = (tmp_path / "plain" / "reports" / "mine" / "leaderboard.csv").read_bytes()
    done = compare(tmp_path / "mine", WORKS)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / "reports" / "mine" / "leaderboard.csv").read_bytes() == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", ["XLA_FLAGS", "TF_XLA_FLAGS"])
@pytest.mark.parametrize("value", ["nonsense", "--nonsense=1"])
def test_flags_that_would_end_the_process_are_refused(name: str, value: str, tmp_path: Path) -> None:
    done = compare(tmp_path / "mine", {name: value})
    assert done.returncode == 3, done.stderr
    assert f"Failed: {name}={value}: TensorFlow cannot start with it (" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["mine.yaml"]
