"""InputError: what the user wrote cannot be done, said so that they can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """The user's input is wrong. The message names the place, what was received and the way out.

    The command line prints it without a traceback and exits with 2.
    """


class EnvironmentFailure(RuntimeError):
    """The machine, not the input, stands in the way: a folder in use, a model that cannot be verified.

    The command line prints it without a traceback and exits with 3.
    """


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
