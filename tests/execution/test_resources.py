"""Devices: which cards CUDA would show, and who gets which."""

from __future__ import annotations

from pathlib import Path

import pytest

from regzoo.execution import resources as devices


@pytest.mark.parametrize(
    ("listed", "cards"),
    [("0,1", ("0", "1")), (" 3 , GPU-8932f937 ", ("3", "GPU-8932f937")), ("-1", ()), ("", ()), ("2,-1,0", ("2",))],
)
def test_the_list_of_the_environment_counts(
    listed: str, cards: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert devices.list_gpus() == cards


def test_without_it_the_driver_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "_DRIVER", tmp_path / "gpus")
    assert devices.list_gpus() == ()
    for card in ("0000:00:1e.0", "0000:00:1f.0"):
        (tmp_path / "gpus" / card).mkdir(parents=True)
    assert devices.list_gpus() == ("0", "1")


def test_workers_take_turns() -> None:
    assert [devices.device_of(worker, ("0", "1")) for worker in range(4)] == ["0", "1", "0", "1"]
    assert devices.device_of(5, ()) is None


def test_there_is_a_core() -> None:
    assert devices.count_cores() >= 1
