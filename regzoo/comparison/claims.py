"""Claims of a comparison: which of them its repetitions make again, leave open, or turn around."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.escaping import escape_formula
from regzoo.core.formatting import format_count, format_list
from regzoo.core.json_values import replace_nonfinite

Kind = Literal["difference", "tier", "equivalence"]
KINDS: tuple[Kind, ...] = ("difference", "tier", "equivalence")
WORDS: dict[Kind, tuple[str, str]] = {
    "difference": ("difference", "differences"),
    "tier": ("tier order", "tier orders"),
    "equivalence": ("equivalence", "equivalences"),
}
"""Each kind in words, one and several."""

Outcome = Literal["held", "tied", "turned", "missing"]
OUTCOMES: tuple[Outcome, ...] = ("held", "tied", "turned", "missing")
_OUTCOME: dict[int | None, Outcome] = {1: "held", 0: "tied", -1: "turned", None: "missing"}

States = Mapping[tuple[str, str], int]
"""What a comparison says of a recipe and another: 1 if it makes the claim, -1 if it makes the opposite one, else 0."""


@dataclass(frozen=True)
class Claim:
    """One claim about two recipes, by name, and what the repetitions say of it.

    Attributes:
        kind: ``difference``: ``recipe`` is better than ``other``, significantly after adjustment; where one of them is
            the baseline, this is the other's verdict. ``tier``: ``recipe`` stands in a higher tier than ``other``.
            ``equivalence``: ``recipe`` is equivalent to the baseline ``other``, within ``rope``.
        recipe: the first recipe.
        other: the second recipe.
        made: whether the comparison itself makes the claim; False if only repetitions do.
        outcomes: what each repetition says: ``held`` if it makes the claim too, ``turned`` if it makes the opposite one
            (for an equivalence: a significant difference), ``tied`` if it makes neither, ``missing`` if one of the
            recipes has no finished replicate in it.
    """

    kind: Kind
    recipe: str
    other: str
    made: bool
    outcomes: tuple[Outcome, ...]

    def count(self, outcome: Outcome) -> int:
        """Return the number of repetitions with this outcome."""
        return self.outcomes.count(outcome)

    @property
    def worst(self) -> Outcome:
        """The worst outcome; ``held`` only if the claim held in all repetitions."""
        return max(self.outcomes, key=_badness)


@dataclass(frozen=True)
class Agreement:
    """How often one comparison confirms what another claims.

    Attributes:
        kind: kind of the claims.
        claims: number of claims, summed over all ordered pairs of comparisons.
        held: share of them that the other comparison makes too; None without claims.
        tied: share that it leaves open, recipes without a finished replicate included.
        turned: share that it turns around.
        claimed: number of pairs of recipes about which any comparison makes a claim.
        contradicted: number of these about which two comparisons make opposite claims.
    """

    kind: Kind
    claims: int
    held: float | None
    tied: float | None
    turned: float | None
    claimed: int
    contradicted: int


@dataclass(frozen=True)
class ClaimCheck:
    """Claims of a comparison, and how its repetitions answer them.

    Attributes:
        seeds: the ``search.seed`` of each repetition.
        claims: the claims of the comparison, the worst first.
        new: the claims that only repetitions make, the most frequent first.
        pairs: number of pairs of recipes that the comparison measured.
        differences: number of pairs that differ significantly, in the comparison and in each repetition.
        agreement: of the comparison and its repetitions, each with each, by kind of claim.
    """

    seeds: tuple[int, ...]
    claims: tuple[Claim, ...]
    new: tuple[Claim, ...]
    pairs: int
    differences: tuple[int, ...]
    agreement: tuple[Agreement, ...]

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        times = len(self.seeds)
        where = {1: "the repetition", 2: "both repetitions"}.get(times, f"all {times} repetitions")
        if not self.claims:
            made = format_count(len(self.new), "claim") if self.new else "none"
            return (
                f"The comparison makes no claim; its {'repetition makes' if times == 1 else 'repetitions make'} {made}."
            )
        worst = [claim.worst for claim in self.claims]
        kinds = [
            format_count(count, *words)
            for kind, words in WORDS.items()
            if (count := sum(claim.kind == kind for claim in self.claims))
        ]
        some = "" if times == 1 else " in some"
        words = {"tied": f"tied{some}", "missing": f"had no result{some}", "turned": f"turned{some}"}
        parts = [f"{worst.count('held') or 'none'} held in {where}"]
        parts += [
            f"{worst.count(each)} {word}" if each in worst else f"none {each}"
            for each, word in words.items()
            if each in worst or each != "missing"
        ]
        return f"Of {format_count(len(worst), 'claim')} ({format_list(kinds)}), {', '.join(parts)}."

    def __str__(self) -> str:
        return self.headline

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for strict JSON, None for what is unknown."""
        values: dict[str, Any] = replace_nonfinite({"headline": self.headline} | asdict(self))
        return values

    def to_json(self) -> str:
        """Return strict JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per claim, new ones last: the number of each outcome, and that of each repetition."""
        rows = [
            {"kind": claim.kind, "recipe": claim.recipe, "other": claim.other, "made": claim.made}
            | {outcome: claim.count(outcome) for outcome in OUTCOMES}
            | {f"seed_{seed}": outcome for seed, outcome in zip(self.seeds, claim.outcomes, strict=True)}
            for claim in (*self.claims, *self.new)
        ]
        names = ["kind", "recipe", "other", "made", *OUTCOMES, *(f"seed_{seed}" for seed in self.seeds)]
        return pd.DataFrame(rows, columns=names)

    def to_csv(self) -> str:
        """Return `to_frame` as CSV; an apostrophe precedes text that a spreadsheet would run as a formula."""
        frame = self.to_frame()
        for column in ("recipe", "other"):
            frame[column] = frame[column].map(escape_formula)
        return frame.to_csv(index=False, lineterminator="\n")


def check_claims(original: Leaderboard, repetitions: Mapping[int, Leaderboard]) -> ClaimCheck:
    """Return what ``repetitions``, by their ``search.seed``, say of the claims of ``original``."""
    boards = [original, *repetitions.values()]
    order = {row.name: number for number, row in enumerate(original.recipes)}
    claims: list[Claim] = []
    for kind in KINDS:
        first, *others = [read_states(board, kind) for board in boards]
        for pair in _list_claimed([first, *others]):
            outcomes = tuple(_OUTCOME[states.get(pair)] for states in others)
            if kind == "equivalence" or first.get(pair) != -1:  # else the opposite is claimed, and turns into this one
                claims.append(Claim(kind, *pair, first.get(pair) == 1, outcomes))
    return ClaimCheck(
        tuple(repetitions),
        tuple(sorted((claim for claim in claims if claim.made), key=lambda claim: _sort_key(claim, order))),
        tuple(
            sorted(
                (c for c in claims if not c.made), key=lambda claim: (-claim.count("held"), *_sort_key(claim, order))
            )
        ),
        len(original.pairs),
        tuple(sum(pair.significant for pair in board.pairs) for board in boards),
        tuple(_measure_agreement(kind, [read_states(board, kind) for board in boards]) for kind in KINDS),
    )


def read_states(leaderboard: Leaderboard, kind: Kind) -> States:
    """Return what a comparison says of each pair of its measured recipes, in both orders; see `Claim.kind`."""
    return _READERS[kind](leaderboard)


def _read_differences(leaderboard: Leaderboard) -> States:
    states: dict[tuple[str, str], int] = {}
    for pair in leaderboard.pairs:
        state = int(np.sign(pair.gain)) if pair.significant else 0
        states |= {(pair.recipe, pair.other): state, (pair.other, pair.recipe): -state}
    return states


def _read_tiers(leaderboard: Leaderboard) -> States:
    tiers = {row.name: row.tier for row in leaderboard.recipes if row.tier is not None}
    return {(one, other): int(np.sign(tiers[other] - tiers[one])) for one, other in itertools.permutations(tiers, 2)}


def _read_equivalences(leaderboard: Leaderboard) -> States:
    """Return the states of every recipe with the baseline; none if no recipe is called equivalent."""
    baseline = leaderboard.find(leaderboard.baseline)
    state = {"equivalent": 1, "inconclusive": 0, "conclusive": -1}
    return {
        (row.name, baseline.name): state[row.verdict]
        for row in leaderboard.recipes
        if baseline is not None and row.verdict is not None
    }


_READERS: dict[Kind, Callable[[Leaderboard], States]] = {
    "difference": _read_differences,
    "tier": _read_tiers,
    "equivalence": _read_equivalences,
}


def _list_claimed(comparisons: Sequence[States]) -> list[tuple[str, str]]:
    """Return every pair about which one of the comparisons makes a claim, once."""
    return list(dict.fromkeys(pair for states in comparisons for pair, state in states.items() if state == 1))


def _measure_agreement(kind: Kind, comparisons: Sequence[States]) -> Agreement:
    outcomes = [
        _OUTCOME[second.get(pair)]
        for first, second in itertools.permutations(comparisons, 2)
        for pair, state in first.items()
        if state == 1
    ]
    count = len(outcomes)
    held, turned = (outcomes.count(outcome) / count if count else None for outcome in ("held", "turned"))
    tied = (
        None if held is None or turned is None else (count - outcomes.count("held") - outcomes.count("turned")) / count
    )
    claimed: dict[frozenset[str], set[int]] = {}
    for states in comparisons:
        for pair, state in states.items():
            if state and (kind != "equivalence" or 1 in [each.get(pair) for each in comparisons]):
                claimed.setdefault(frozenset(pair), set()).add(state if pair == tuple(sorted(pair)) else -state)
    opposite = sum(len(states) > 1 for states in claimed.values())
    return Agreement(kind, count, held, tied, turned, len(claimed), opposite)


def _badness(outcome: Outcome) -> int:
    return ("held", "tied", "missing", "turned").index(outcome)


def _sort_key(claim: Claim, order: Mapping[str, int]) -> tuple[int, ...]:
    """Return the sort key of claims: the worst first, then in the order of the leaderboard."""
    counts = (-claim.count(outcome) for outcome in ("turned", "missing", "tied"))
    ranks = (order.get(name, len(order)) for name in (claim.recipe, claim.other))
    return (*counts, KINDS.index(claim.kind), *ranks)
