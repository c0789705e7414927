"""Ctrl-C is delayed where it must not interrupt, and kept from child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from regzoo.system import signals
from regzoo.system.signals import delay_interrupts, get_termination, interrupt_on_termination, start_without_sigint


def interrupt() -> None:
    """Send SIGINT to this process, as a terminal does, and wait until Python has seen it."""
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        threading.Event().wait(1e-5)


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_comes_when_the_block_ends() -> None:
    steps = []
    other = threading.Thread(target=threading.Event().wait, args=(60,), daemon=True)
    other.start()  # this thread may receive the signal as well
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # the block is the point
        with delay_interrupts():
            interrupt()
            interrupt()
            steps.append("inside")
        steps.append("after")
    assert steps == ["inside"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("ctrl_c")
def test_without_an_interrupt_and_in_other_threads_nothing_happens() -> None:
    handlers = []

    def work() -> None:
        with delay_interrupts():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with delay_interrupts():
        pass
    assert handlers == [signal.default_int_handler]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_interrupt_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with delay_interrupts():
            interrupt()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_a_child_that_is_started_without_it_never_receives_it() -> None:
    script = "import sys; print('ready', flush=True); sys.stdin.read(); print('done')"
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with start_without_sigint():
        deaf = subprocess.Popen([sys.executable, "-c", script], text=True, **pipes)
    with deaf, subprocess.Popen([sys.executable, "-c", script], text=True, stderr=subprocess.DEVNULL, **pipes) as other:
        for process in (deaf, other):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
        assert deaf.communicate()[0] == "done\n"
        assert other.wait() != 0


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give SIGTERM and SIGHUP their default handlers; restore them afterwards."""
    monkeypatch.setattr(signals, "_received", [])
    before = {number: signal.signal(number, signal.SIG_DFL) for number in signals.TERMINATIONS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_termination_interrupts_and_is_delayed_as_ctrl_c_is(number: signal.Signals) -> None:
    interrupt_on_termination()
    assert get_termination() is None
    steps = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # the block is the point
        with delay_interrupts():
            signal.raise_signal(number)
            steps.append("inside")
        steps.append("after")
    assert steps == ["inside"]
    assert get_termination() == number


@pytest.mark.usefixtures("handlers")
def test_a_termination_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupt_on_termination()
    signal.raise_signal(signal.SIGHUP)
    assert get_termination() is None


@pytest.mark.usefixtures("handlers")
def test_only_commands_change_what_a_termination_does() -> None:
    with delay_interrupts():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
