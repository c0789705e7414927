"""The audit: was every recipe given the same, was nothing read that should not be, and did any run collapse?

All of it is counted in the records, so it says what was done and not what was planned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.report import board as boards
from regzoo.report.formatting import code, listing, plural
from regzoo.training.metrics import METRICS
from regzoo.training.records import Record

CHANCE = 1e-6
"""So near to the score of a constant prediction counts as equal: metrics are float32."""


@dataclass(frozen=True)
class Account:
    """What one recipe was given, and what became of its runs.

    Attributes:
        name: as the config writes it.
        trials: runs of its search, among them ``pruned`` ones, which were cut short.
        points: distinct settings among them: strengths and learning rate.
        epochs: the most that one of its trials was allowed.
        looks: epochs that its trials trained; after each, the validation part was looked at.
        seconds: spent training in the search.
        replicates: runs that measure the chosen strengths.
        diverged, failed, collapsed: trials and replicates; see `collapsed`.
    """

    name: str
    trials: int
    points: int
    epochs: int
    looks: int
    seconds: float
    replicates: int
    pruned: int
    diverged: int
    failed: int
    collapsed: int


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: whether it is in order (None: cannot be told), and what was found."""

    good: bool | None
    text: str


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        accounts: one a recipe, in the board's order.
        unequal: what recipes were not given alike, in a few words each; empty if the table is fair.
        findings: everything that was checked.
    """

    accounts: tuple[Account, ...]
    unequal: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def heading(self) -> str:
        """What a table that is not fair says in its heading; empty if it is fair."""
        return f"not tuned alike: {'; '.join(self.unequal)}" if self.unequal else ""


def audit(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Audit:
    """Return what the records say about how fair the board is."""
    labels = comparison["data"]["labels"]
    accounts = tuple(_account(row["name"], records, len(labels or ())) for row in board["recipes"])
    searched = [account for account in accounts if account.trials]
    unequal = [_unequal(searched, word, count) for word, count in _ALIKE.items()]
    measured = [account for account in accounts if account.replicates]
    if (
        len(comparison.get("interim_analyses") or comparison.get("looks", ())) < 2
    ):  # else more were given on purpose, where the order was open
        unequal.append(_unequal(measured, "replicates", lambda account: account.replicates))
    unequal.append(_rates(searched, records))
    said = tuple(sentence for sentence in unequal if sentence)
    findings = (
        _tuning(said, searched),
        *_reading(board, records),
        *_runs(accounts, labels, comparison["data"]["task"]),
    )
    return Audit(accounts, said, findings)


def collapsed(record: Record, classes: int) -> bool:
    """True if a finished run predicts no better than a constant does: the same class, or a mean, for every row.

    A classifier that gives every row the same class has a balanced accuracy of exactly 1 / ``classes`` (if all occur
    in validation), and its accuracy is the share of that class. A regression that is no better than the mean of
    the targets has an r2 of at most 0. Of several labels at once and of reconstructions the records do not tell.

    Args:
        record: of any status.
        classes: how many there are, 0 if it is not classification.
    """
    if record.status != "ok":
        return False
    found = record.metrics.get("validation", {})
    if classes and boards.known(found.get("balanced_accuracy")):
        return boards.number(found["balanced_accuracy"]) <= 1 / classes + CHANCE
    return boards.number(found.get("r2")) <= 0


def _account(name: str, records: Sequence[Record], classes: int) -> Account:
    trials = boards.trials(records, name, finished=False)
    replicates = boards.replicates(records, name, finished=False)
    runs = [*trials, *replicates]
    lost = {status: sum(run.status == status for run in runs) for status in ("pruned", "diverged", "failed")}
    return Account(
        name,
        trials=len(trials),
        points=len({(trial.run.recipe_text, trial.run.learning_rate) for trial in trials}),
        epochs=max((trial.run.epochs for trial in trials), default=0),
        looks=sum(trial.epochs for trial in trials),
        seconds=sum(trial.fit_seconds for trial in trials),
        replicates=len(replicates),
        **lost,
        collapsed=sum(collapsed(run, classes) for run in runs),
    )


_ALIKE: dict[str, Callable[[Account], int]] = {
    "trials": lambda account: account.trials,
    "epochs at most": lambda account: account.epochs,
}


def _unequal(accounts: Sequence[Account], word: str, count: Callable[[Account], int]) -> str:
    """Say which recipes had how many, if they differ; nothing if all had the same.

    The commonest number (the largest of equals) is what ``the others`` had.
    """
    counts = [count(account) for account in accounts]
    if len(set(counts)) < 2:
        return ""
    usual = max(set(counts), key=lambda value: (counts.count(value), value))
    odd = [
        f"{_few([code(a.name) for a in accounts if count(a) == value])} had {value:,}"
        for value in sorted(set(counts) - {usual})
    ]
    return f"{word}: {listing(odd)}, the others {usual:,}"


def _few(names: Sequence[str]) -> str:
    return listing(names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"])


def _rates(accounts: Sequence[Account], records: Sequence[Record]) -> str:
    """A learning rate that was searched for some recipes only."""
    rates = {a.name: len({t.run.learning_rate for t in boards.trials(records, a.name, finished=False)})
             for a in accounts if a.trials > 1}  # fmt: skip
    fixed = [code(name) for name, count in rates.items() if count == 1]
    return f"the learning rate of {_few(fixed)} was not searched" if 0 < len(fixed) < len(rates) else ""


def _tuning(unequal: Sequence[str], accounts: Sequence[Account]) -> Finding:
    if unequal:
        return Finding(False, f"Recipes were not given the same: {'; '.join(unequal)}.")
    if not accounts:
        return Finding(None, "No trial was made, so there was nothing to tune alike.")
    one = accounts[0]
    return Finding(
        True, f"Every recipe was given {plural(one.trials, 'trial')} of at most {plural(one.epochs, 'epoch')} each."
    )


def _reading(board: dict[str, Any], records: Sequence[Record]) -> list[Finding]:
    """What was ranked, and who read the test part."""
    name = board["rank_by"]
    free = any(name in metrics for metrics in METRICS.values())
    objective = "is computed on hard labels, without any penalty and without smoothing, for every recipe alike"
    peeked = [record for record in records if record.run.stage != "replicate" and record.metrics.get("test")]
    read = sum(bool(record.metrics.get("test")) for record in records) - len(peeked)
    once = f"The test part was read by {plural(read, 'replicate')}, once each, and by none of the runs that chose."
    return [
        Finding(free, f"The validation {name} {objective}." if free else f"{name} is no metric that regzoo computes."),
        Finding(False, f"The test part was read by {plural(len(peeked), 'trial')}.") if peeked else Finding(True, once),
        _seeds(board, records),
    ]


def _seeds(board: dict[str, Any], records: Sequence[Record]) -> Finding:
    """Replicates are paired by number: equal seeds and cuts; a placebo has seeds of its own on purpose."""
    names = [row["name"] for row in board["recipes"] if not boards.is_placebo(row)]
    seeds = [[(r.run.seed, r.run.fold) for r in boards.replicates(records, name, finished=False)] for name in names]
    made = [found for found in seeds if found]
    if not made:
        return Finding(None, "No replicate was made yet.")
    shortest = min(map(len, made))
    good = len({tuple(found[:shortest]) for found in made}) == 1
    what = "seeds and cuts" if any(fold for found in made for _, fold in found) else "seeds"
    own = "; placebos have seeds of their own, on purpose" if boards.placebos(board) else ""
    return Finding(good, f"The replicates of all recipes have {'the same' if good else 'different'} {what}{own}.")


def _runs(accounts: Sequence[Account], labels: Any, task: str) -> list[Finding]:
    said = []
    for word in ("diverged", "collapsed"):
        found = [(account.name, getattr(account, word)) for account in accounts if getattr(account, word)]
        runs = sum(count for _, count in found)
        where = _few([f"{count} of {code(name)}" for name, count in found])
        said.append(Finding(not found, f"{plural(runs, 'run')} {word}: {where}." if found else f"No run {word}."))
    if not labels and task != "regression":
        said[1] = Finding(None, f"Whether a run of {task} collapsed cannot be told from its metrics.")
    return said
