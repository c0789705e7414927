"""Resources: which cards CUDA would show, which worker gets which, and how the memory is shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from regzoo.execution import resources


@pytest.mark.parametrize(
    ("listed", "cards"),
    [("0,1", ("0", "1")), (" 3 , GPU-8932f937 ", ("3", "GPU-8932f937")), ("-1", ()), ("", ()), ("2,-1,0", ("2",))],
)
def test_the_environment_variable_lists_the_cards(
    listed: str, cards: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert resources.list_gpus() == cards


def test_without_the_variable_the_driver_lists_the_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(resources, "_DRIVER", tmp_path / "gpus")
    assert resources.list_gpus() == ()
    for card in ("0000:00:1e.0", "0000:00:1f.0"):
        (tmp_path / "gpus" / card).mkdir(parents=True)
    assert resources.list_gpus() == ("0", "1")


def test_workers_cycle_through_the_cards() -> None:
    assert [resources.assign_gpu(worker, ("0", "1")) for worker in range(4)] == ["0", "1", "0", "1"]
    assert resources.assign_gpu(5, ()) is None


def test_there_is_at_least_one_core() -> None:
    assert resources.count_cores() >= 1


def test_workers_share_a_quarter_of_the_machines_memory() -> None:
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024  # MemTotal, in kB
    assert resources.divide_memory(1) == pytest.approx(total / 4, rel=1e-3)
    assert resources.divide_memory(3) == pytest.approx(total / 12, rel=1e-3)
