"""Errors: what the user wrote, or the machine, does not allow, said so that it can be mended."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator


class InputError(ValueError):
    """The user's input is wrong. The message names the place, what was received and the way out.

    The command line prints it without a traceback and exits with 2.
    """


class EnvironmentFailure(RuntimeError):
    """The machine, not the input, stands in the way: a folder in use, a model that cannot be verified.

    The command line prints it without a traceback and exits with 3.
    """


class Problems:
    """Gathers what is wrong, so that it can be said at once.

    >>> problems = Problems(["one"])
    >>> with problems.collected():
    ...     raise InputError("another")
    >>> problems.said
    ['one', 'another']
    """

    def __init__(self, said: Iterable[str] = ()) -> None:
        self.said = list(said)

    @contextlib.contextmanager
    def collected(self) -> Iterator[None]:
        """Keep what an InputError in the block says, and go on after the block."""
        try:
            yield
        except InputError as error:
            self.said.append(str(error))

    def check(self) -> None:
        """Raise InputError with all of it, a line each, if there is any."""
        if self.said:
            raise InputError("\n".join(dict.fromkeys(self.said)))


def printable(text: str) -> str:
    r"""Return ``text`` with its control characters written out, so that it cannot steer a terminal.

    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for a near miss, else the list of what there is.

    >>> did_you_mean("dropuot", ["dropout", "l2"])
    " Did you mean 'dropout'?"
    >>> did_you_mean("zebra", ["l2", "dropout"])
    ' There is: dropout, l2.'
    """
    names = sorted(options)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else f" There is: {', '.join(names)}."
