"""Exceptions of regzoo, and helpers for messages that name what was received, what is allowed and the way out.

The command line prints an `InputError` or an `EnvironmentFailure` without a traceback; it exits with 2 or 3.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


class InputError(ValueError):
    """The user's input is wrong. The message names the place, what was received and the way out."""


@dataclass(frozen=True, order=True)
class ConfigProblem:
    """One problem in a config.

    Attributes:
        line: line in the file, from 1; 0 without a file.
        column: column in the line, from 1; 0 without a file.
        message: the key, what was received and what is allowed.
    """

    line: int
    column: int
    message: str


class ConfigError(InputError):
    """A config has problems; the message lists them all, one a line: ``file:line:column: key: problem``."""

    def __init__(self, file: str, problems: Sequence[ConfigProblem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(self._format_problem(problem) for problem in self.problems))

    def _format_problem(self, problem: ConfigProblem) -> str:
        message = " ".join(problem.message.split("\n"))
        place = f"{self.file}:{problem.line}:{problem.column}: " if problem.line else ""
        return f"{place or (self.file and f'{self.file}: ')}{message}"


class EnvironmentFailure(RuntimeError):
    """The machine, not the input, is the obstacle: a folder in use, a model that cannot be verified."""


class BusyError(EnvironmentFailure):
    """Another process is writing to the folder."""


class MovedAsideWarning(UserWarning):
    """A file of the user's had the name of a file that regzoo writes; one of the two has another name now."""


class FrozenPlacesWarning(UserWarning):
    """A regularizer acts on activations that frozen layers read."""


class ClashWarning(UserWarning):
    """A recipe and what a model has of its own do not go well together."""


class InactiveRecipeWarning(UserWarning):
    """A model with a recipe is trained as a layer of another one, where a part of the recipe does not act."""


class StaleStatisticsWarning(UserWarning):
    """The training data can be read only once, so that batch norm's averages are not computed again for the weights."""


class ParityError(EnvironmentFailure):
    """An exported model's outputs differ from the live model's, so nothing was exported."""


class ConversionError(EnvironmentFailure):
    """The converter of an export format does not support an operation of the model."""


class UnavailableError(EnvironmentFailure):
    """A benchmark needs a package that is not installed."""


class ContractError(AssertionError):
    """A regularizer breaks a law of the contract; the message names the law and the evidence."""


class ErrorCollector:
    """Collects the messages of several input errors, to raise them as one.

    >>> errors = ErrorCollector(["one"])
    >>> with errors.collect():
    ...     raise InputError("another")
    >>> errors.messages
    ['one', 'another']
    """

    def __init__(self, messages: Iterable[str] = ()) -> None:
        self.messages = list(messages)

    @contextlib.contextmanager
    def collect(self, where: str = "") -> Iterator[None]:
        """Keep the message of an InputError raised in the block, after ``where``, and continue after the block."""
        try:
            yield
        except InputError as error:
            self.messages.append(f"{where}{error}")

    def raise_if_any(self) -> None:
        """Raise one InputError with every distinct message on a line of its own, if there are any."""
        if self.messages:
            raise InputError("\n".join(dict.fromkeys(self.messages)))


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for a near miss, else the list of options.

    >>> did_you_mean("dropuot", ["dropout", "l2"])
    " Did you mean 'dropout'?"
    >>> did_you_mean("zebra", ["l2", "dropout"])
    ' Available: dropout, l2.'
    """
    names = sorted(options)
    near = difflib.get_close_matches(str(word).lower(), names, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else f" Available: {', '.join(names)}."
