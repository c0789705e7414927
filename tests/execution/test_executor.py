"""How the error of a failed run is described."""

from __future__ import annotations

from regzoo.execution.executor import describe_error


def test_of_tensorflows_traceback_the_last_place_and_the_message_are_kept() -> None:
    traceback = """in user code:

    File "regzoo/training/model/step.py", line 55, in take  *
        x, y = regularizer.batch(x, y, model.get_stream(regularizer))
    File "mine.py", line 38, in batch  *
        raise ValueError("out of luck:" + sentence)

    ValueError: out of luck:
      twice
"""
    assert (
        describe_error(RuntimeError(traceback)) == 'ValueError: out of luck: twice (File "mine.py", line 38, in batch)'
    )
    assert describe_error(ValueError("one\ntwo")) == "ValueError: one\ntwo"
