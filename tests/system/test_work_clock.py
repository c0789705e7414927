"""`WorkClock`: it stands still while the process cannot work."""

from __future__ import annotations

import pytest

from regzoo.system.work_clock import LONGEST_GAP, WorkClock


class Machine:
    """A machine whose clocks a test moves."""

    def __init__(self) -> None:
        self.now = self.processor = 0.0
        self.clock = WorkClock(lambda: self.now, lambda: self.processor)

    def pass_time(self, seconds: float, processor: float = 0.0) -> float:
        """Let time pass; return what the clock shows."""
        self.now += seconds
        self.processor += processor
        return self.clock()


def test_short_gaps_count_whether_or_not_the_process_computes() -> None:
    machine = Machine()
    for step in range(1, 100):
        assert machine.pass_time(0.5) == 0.5 * step
    assert machine.pass_time(LONGEST_GAP) == 49.5 + LONGEST_GAP


@pytest.mark.parametrize("seconds", [LONGEST_GAP + 0.5, 60.0, 86_400.0])
def test_a_suspended_process_does_not_work(seconds: float) -> None:
    machine = Machine()
    machine.pass_time(1.0)
    assert machine.pass_time(seconds) == 1.0
    assert machine.pass_time(1.0) == 2.0


def test_a_long_computation_that_does_not_read_the_clock_counts() -> None:
    machine = Machine()
    assert machine.pass_time(30.0, processor=29.0) == 29.0
    assert machine.pass_time(30.0, processor=55.0) == 59.0  # two threads: no more than has passed


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    machine = Machine()
    machine.pass_time(1.0)
    assert machine.pass_time(-100.0) == 1.0
    assert machine.pass_time(0.5) == 1.5
